//! The table of properties.

use std::fmt;

macro_rules! properties {
    ($($variant:ident $name:literal $meaning:literal)*) => {
        /// A property of every history, by the short name under which reports speak of it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Property {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning, ".")]
                $variant,
            )*
        }

        impl Property {
            /// Every property, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable short name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Meaning, as a sentence without its stop.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

// The letters a to r are those of the journal's model (docs/model.md, "Properties"), where each has
// the rule without which it breaks; g, "key not lost", is the model's alone. w, x and the words are
// the simulator's. All but the last three are checked as it happens, those at a seed's end.
properties! {
    OneAnchor "a" "all signed payments of one intent contain one common input, the anchor that the journal names"
    Limit "b" "what was signed within any window of journal time, each payment where the signed attempt stands, is not above the limit"
    Bound "c" "no share is released later than freshness + 2 × skew after a tightening that forbids it was witnessed"
    Head "c2" "no share is released against the head it was released under, or under a head that is not witnessed"
    OwnLog "c3" "no share is released against anything the signer itself ever cosigned, across restarts, or below its floor, or while it is frozen"
    OneLine "d" "no witness cosigns two trees of one size, a smaller one, or any while it is frozen or after its disk was put back; witnessed heads are on one line"
    Authority "e" "nothing is signed that was not authorized, or under a policy, key or roster that its board did not release; no attempt rests on what was taken away; no ceremony finishes after its life"
    Nonce "f" "a nonce serves one package"
    HandedOver "h" "a handed tightening takes effect at once, and is owed after the duty time"
    Coins "coins" "no two payments of different intents are signed that spend one coin, while the journal keeps it for one of them"
    Effects "x" "what is signed pays exactly what the intent says"
    DelaySeen "i" "nothing relies on a loosening earlier than its delay, less 2 × skew, after an honest witness first saw the proposal"
    DelayHidden "j" "nor earlier than that after the last moment at which anyone could be shown a quorum without the proposal"
    InTime "k" "nothing relies on a release before it is witnessed, or on one that no honest witness saw by its expiry + 2 × skew"
    LockSeen "l" "no share of a locked payment leaves earlier than the lock, less 2 × skew, after an honest witness first saw it"
    LockHidden "m" "nor earlier than that after the last moment at which anyone could be shown a quorum without it"
    Kept "n" "a tightening that came after a release is not undone by it"
    VetoWins "o" "a veto in the journal before a release took effect, or held by enough witnesses before they cosigned it, wins"
    GoesOn "p" "once faults have stopped, what waits for the witnesses gets its time, and no later one than their clocks show"
    NoEntryLags "q" "no share leaves under a head whose newest entry is older than tick_max + skew"
    NoItemLags "r" "nor under one where an older entry still waits for the witnesses"
    Rate "w" "what was signed in any stretch of true time, shorter than the window by an attempt's life and 2 × skew, is not above the limit; a payment that waited for its lock counts so much earlier"
    Told "told" "no payment that was called signed is told ended but by the chain"
    Ends "lost" "every accepted intent ends, signed or with a code"
    Life "dead" "after all faults one more intent is signed, unless something forbids it"
    Agreement "converge" "at rest all replicas are equal, and exactly the keys whose disks were put back are retired"
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
