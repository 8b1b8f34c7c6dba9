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

// The first ten are checked at every observation, the last three at the end of a seed.
properties! {
    OneAnchor "a" "all signed payments of one intent contain one common input, the anchor that the journal names"
    Limit "b" "what was signed within any window is not above the limit"
    Bound "c" "no share is released later than freshness + 2 × skew after a tightening that forbids it was witnessed"
    Head "c2" "no share is released against the head it was released under, or under a head that is not witnessed"
    OwnLog "c3" "no share is released against anything the signer itself ever cosigned, across restarts, or below its floor"
    OneLine "d" "no witness cosigns two trees of one size, a smaller one, or any after its disk was put back; witnessed heads are on one line"
    Authority "e" "nothing is signed that was not authorized, or under a policy, key or roster that its board did not release"
    Nonce "f" "a nonce serves one package"
    HandedOver "h" "a handed tightening takes effect at once, and is owed after the duty time"
    Effects "x" "what is signed pays exactly what the intent says"
    Ends "lost" "every accepted intent ends, signed or with a code"
    Life "dead" "after all faults one more intent is signed, unless something forbids it"
    Agreement "converge" "at rest all replicas are equal, and exactly the keys whose disks were put back are retired"
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
