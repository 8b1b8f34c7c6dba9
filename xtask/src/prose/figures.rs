//! The measures of house-style, "Words and paragraphs".

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::items::{functions, public_items};
use super::lexer::Kind;
use super::source::Source;

/// Longest code line that is comfortable beside another window, columns.
const COLUMNS_MAX: usize = 90;
/// From this number of parameters on a function wants a context struct.
const PARAMETERS_MANY: usize = 5;

/// Wanted of every crate that decides about money.
pub const COMMENTS_MIN: f64 = 30.0;
/// Blank lines per 100 body lines.
pub const BLANK_MIN: f64 = 5.0;
/// Functions with five or more values as parameters, percent; the limit is not reached.
pub const PARAMETERS_MAX: f64 = 4.0;

/// Counts over files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Lines of each file.
    files: Vec<usize>,
    /// Lines with code.
    code: usize,
    /// Lines with an inline comment.
    comments: usize,
    /// Lines inside of function bodies that are not blank.
    body: usize,
    /// Blank lines inside of function bodies.
    blank: usize,
    functions: usize,
    functions_many: usize,
    /// Functions with as many values, the members of tuples counted.
    functions_values: usize,
    /// Public items without docs.
    undocumented: usize,
    /// Code lines over 90 columns.
    wide: usize,
}

impl Figures {
    /// The counts of one file.
    pub fn of(source: &Source) -> Self {
        let code = source.lines_with(|token| token.is_code());
        let comments = source.lines_with(|token| token.kind == Kind::Comment);
        let occupied = source.lines_with(|_| true);
        let functions = functions(&source.tokens);

        // A function inside of another one is part of its body: count no line twice.
        let mut body = std::collections::BTreeSet::new();
        for (start, end) in functions.iter().filter_map(|function| function.body) {
            body.extend(start.saturating_add(1)..end);
        }

        // Counted in characters as people see them, not in bytes.
        let is_wide = |line: &&usize| {
            let text = source.lines.get(line.saturating_sub(1));
            text.is_some_and(|text| text.chars().count() > COLUMNS_MAX)
        };

        let many = |parameters: usize| parameters >= PARAMETERS_MANY;
        let public = public_items(&source.tokens);
        Self {
            files: vec![source.line_count()],
            code: code.len(),
            comments: comments.len(),
            blank: body.difference(&occupied).count(),
            body: body.intersection(&occupied).count(),
            functions: functions.len(),
            functions_many: functions.iter().filter(|f| many(f.parameters)).count(),
            functions_values: functions.iter().filter(|f| many(f.values)).count(),
            undocumented: public.iter().filter(|item| !item.documented).count(),
            wide: code.iter().filter(is_wide).count(),
        }
    }

    pub fn comments_per_1000(&self) -> f64 {
        ratio(self.comments, self.code, 1000.0)
    }

    pub fn blank_per_100(&self) -> f64 {
        ratio(self.blank, self.body, 100.0)
    }

    pub fn functions_many_pct(&self) -> f64 {
        ratio(self.functions_many, self.functions, 100.0)
    }

    pub fn functions_values_pct(&self) -> f64 {
        ratio(self.functions_values, self.functions, 100.0)
    }

    pub fn wide_pct(&self) -> f64 {
        ratio(self.wide, self.code, 100.0)
    }

    pub fn undocumented(&self) -> usize {
        self.undocumented
    }

    pub fn files(&self) -> usize {
        self.files.len()
    }

    pub fn code(&self) -> usize {
        self.code
    }

    /// Lines of the middle file (the longer one of two).
    pub fn median_file(&self) -> usize {
        let mut sorted = self.files.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    }

    /// What is not met, one text each.
    pub fn shortfalls(&self) -> Vec<String> {
        let (comments, blank) = (self.comments_per_1000(), self.blank_per_100());
        // The members of a tuple count: put in one, five parameters are still five.
        let parameters = self.functions_values_pct();
        let mut found = Vec::new();

        if comments < COMMENTS_MIN {
            found.push(format!(
                "{comments:.1} comments per 1,000 code lines (≥ {COMMENTS_MIN})"
            ));
        }
        if blank < BLANK_MIN {
            found.push(format!(
                "{blank:.1} blank lines per 100 body lines (≥ {BLANK_MIN})"
            ));
        }
        if parameters >= PARAMETERS_MAX {
            found.push(format!(
                "{parameters:.1} % of functions with five or more parameters (< {PARAMETERS_MAX})"
            ));
        }
        found
    }

    /// The figures as members of a JSON object.
    pub fn json(&self) -> String {
        format!(
            "\"comments_per_1000\":{:.1},\"blank_per_100\":{:.1},\"fns_5_params_pct\":{:.1},\
             \"median_file\":{},\"undocumented_pub\":{}",
            self.comments_per_1000(),
            self.blank_per_100(),
            self.functions_many_pct(),
            self.median_file(),
            self.undocumented
        )
    }
}

impl AddAssign<&Self> for Figures {
    fn add_assign(&mut self, other: &Self) {
        self.files.extend_from_slice(&other.files);
        self.code += other.code;
        self.comments += other.comments;
        self.body += other.body;
        self.blank += other.blank;
        self.functions += other.functions;
        self.functions_many += other.functions_many;
        self.functions_values += other.functions_values;
        self.undocumented += other.undocumented;
        self.wide += other.wide;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines are small")]
fn ratio(part: usize, whole: usize, per: f64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * per / whole as f64
    }
}

/// The figures of each crate, and of all of them.
pub fn by_crate(sources: &[Source]) -> (BTreeMap<String, Figures>, Figures) {
    let mut crates: BTreeMap<String, Figures> = BTreeMap::new();
    let mut all = Figures::default();
    for source in sources {
        let figures = Figures::of(source);
        *crates.entry(source.krate.clone()).or_default() += &figures;
        all += &figures;
    }
    (crates, all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn figures(text: &str) -> Figures {
        Figures::of(&Source::new("demo", Path::new("demo.rs"), text))
    }

    #[test]
    fn inline_comments_count_and_docs_do_not() {
        let text =
            "//! A.\n\n/// B.\nfn b() {\n    // why\n    c(); // also\n    d(\"// no\");\n}\n";
        let f = figures(text);
        assert_eq!((f.comments, f.code), (2, 4));
        assert_eq!(f.comments_per_1000(), 500.0);
    }

    #[test]
    fn blank_lines_count_inside_of_bodies_only() {
        let text =
            "use a;\n\nfn b() {\n    c();\n\n    let d = \"x\n\ny\";\n}\n\nstruct E {\n\n}\n";
        let f = figures(text);
        assert_eq!(
            (f.blank, f.body),
            (1, 4),
            "a blank line in a string is text"
        );
    }

    #[test]
    fn a_function_in_a_function_is_not_counted_twice() {
        let f = figures("fn a() {\n    fn b() {\n        c();\n\n    }\n}\n");
        assert_eq!((f.blank, f.body, f.functions), (1, 3, 2));
    }

    #[test]
    fn test_modules_do_not_count() {
        let f = figures("fn a() {}\n#[cfg(test)]\nmod tests {\n    // no\n    fn b() {}\n}\n");
        assert_eq!((f.comments, f.functions, f.code), (0, 1, 1));
        assert_eq!(f.median_file(), 1);
    }

    #[test]
    fn wide_lines_are_code_lines_over_90_columns() {
        let wide = "x".repeat(91);
        let f = figures(&format!(
            "// {wide}\nfn {wide}() {{}}\nfn {}() {{}}\n",
            "ä".repeat(82)
        ));
        assert_eq!(f.wide, 1);
    }

    #[test]
    fn every_measure_can_fall_short() {
        let bare = "fn a(b: u8, c: u8, d: u8, e: u8, f: u8) {\n    g();\n}\n";
        assert_eq!(figures(bare).shortfalls().len(), 3);
        let good = "fn a(b: u8) {\n    g();\n\n    // why\n    h();\n}\n";
        assert_eq!(figures(good).shortfalls(), [""; 0]);
    }

    #[test]
    fn a_tuple_does_not_hide_parameters() {
        let text =
            "fn a(b: u8, (c, d): (u8, u8), e: u8, f: u8) {\n    g();\n\n    // why\n    h();\n}\n";
        let f = figures(text);
        assert_eq!((f.functions_many, f.functions_values), (0, 1));
        assert_eq!(f.shortfalls().len(), 1);
    }

    #[test]
    fn sums_are_the_sums_of_the_parts() {
        let mut sum = figures("fn a() {}\n");
        sum += &figures("// b\nfn c() {\n\n}\n\n");
        assert_eq!(
            (sum.code, sum.comments, sum.files.as_slice()),
            (3, 1, &[1, 5][..])
        );
        assert_eq!(sum.median_file(), 5);
    }
}
