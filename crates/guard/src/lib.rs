//! Guards by name: each condition without which a listed attack would succeed.
//!
//! In what is shipped, [`guard`] is its condition and [`kept!`] its first value, and nothing of the
//! names is left. A build with `--cfg mutants` can switch one guard off (`STRONGROOM_GUARD_OFF`),
//! so that each attack shows that it fails because of that guard and of nothing else.

mod names;
#[cfg(mutants)]
mod switch;

pub use names::G;
#[cfg(mutants)]
pub use switch::{GuardCounts, OFF, is_off, report};

/// Whether the guard refuses. `refuses` is the refusing form of its condition: `true` stops the
/// attack.
///
/// One name may stand at several places: a rule that is asked twice is one rule, and with only one
/// of its places off the other would hide what the attack does.
#[cfg(not(mutants))]
#[inline(always)]
#[must_use]
pub const fn guard(_: G, refuses: bool) -> bool {
    refuses
}

/// Whether the guard refuses; never when it is switched off.
#[cfg(mutants)]
#[must_use]
pub fn guard(name: G, refuses: bool) -> bool {
    refuses && !switch::passes(name)
}

/// A guard that chooses a value instead of refusing: `kept!(G::Name, value, instead other)`.
///
/// `other` is what an implementation without the rule would take. It is compiled with `--cfg
/// mutants` only.
#[macro_export]
macro_rules! kept {
    ($name:expr, $value:expr, instead $other:expr $(,)?) => {{
        #[cfg(not(mutants))]
        {
            // Named here too, so that a guard that is not listed does not compile.
            const _: $crate::G = $name;
            $value
        }
        #[cfg(mutants)]
        if $crate::chooses_other($name) {
            $other
        } else {
            $value
        }
    }};
}

/// For [`kept!`]: whether the other value is taken.
#[cfg(mutants)]
#[doc(hidden)]
#[must_use]
pub fn chooses_other(name: G) -> bool {
    switch::takes_other(name)
}
