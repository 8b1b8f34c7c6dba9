//! Lists that have every variant of an enum.

/// An array with one item per variant of a type: `every!(Type { pattern => item, .. })`.
///
/// The patterns are the arms of one `match` and the items stand beside them, so a variant without an
/// item does not compile.
///
/// ```
/// enum Answer {
///     Yes(u8),
///     No,
/// }
/// let names = strongroom_matrix::every!(Answer {
///     Answer::Yes(_) => "yes",
///     Answer::No => "no",
/// });
/// assert_eq!(names, ["yes", "no"]);
/// ```
///
/// ```compile_fail,E0004
/// enum Answer {
///     Yes(u8),
///     No,
/// }
/// let names = strongroom_matrix::every!(Answer { Answer::Yes(_) => "yes" });
/// ```
#[macro_export]
macro_rules! every {
    ($type:ty { $($pattern:pat => $item:expr),+ $(,)? }) => {{
        // It is never called: it compiles only while its arms cover the type.
        const _: fn(&$type) = |value| match value {
            $($pattern => {})+
        };
        [$($item),+]
    }};
}
