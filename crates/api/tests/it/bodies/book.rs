//! One request after another and what was answered, as a text that is compared with a kept file.

use crate::fixture::{Request, Served, TENANT};
use std::fmt::Write as _;
use strongroom_types::Signed;

/// Asks a served API and writes down what it answers.
pub struct Book<'a> {
    served: &'a Served,
    text: String,
}

impl<'a> Book<'a> {
    pub fn new(served: &'a Served) -> Self {
        Self::go_on(served, String::new())
    }

    /// Goes on with the text of a book that ended because the API had to change under it.
    pub fn go_on(served: &'a Served, text: String) -> Self {
        Self { served, text }
    }

    pub fn into_text(self) -> String {
        self.text
    }

    pub fn ask(&mut self, what: &str, request: Request<'_>) -> String {
        let answer = self.served.raw(&request);
        let key = request.key.unwrap_or("no key");
        let none = "-".to_owned();
        write!(
            self.text,
            "# {what}\n> {} {} ({key})\n< {} {} {}\n{}\n\n",
            request.method,
            request.path,
            answer.status,
            answer.content_type.as_ref().unwrap_or(&none),
            answer.location.as_ref().unwrap_or(&none),
            answer.body,
        )
        .unwrap();
        answer.body
    }

    pub fn get_as(&mut self, what: &str, key: &str, path: &str) -> String {
        let request = Request {
            method: "GET",
            path,
            key: Some(key),
            body: None,
        };
        self.ask(what, request)
    }

    pub fn get(&mut self, what: &str, path: &str) -> String {
        self.get_as(what, TENANT, path)
    }

    pub fn post_text(&mut self, what: &str, path: &str, body: &str) -> String {
        let request = Request {
            method: "POST",
            path,
            key: Some(TENANT),
            body: Some(body),
        };
        self.ask(what, request)
    }

    pub fn post(&mut self, what: &str, path: &str, signed: &Signed) -> String {
        self.post_text(what, path, &signed.to_json().to_text())
    }

    /// Compares with the kept file.
    pub fn compare(self, file: &str) {
        let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        strongroom_golden::snapshot(path, &self.text);
    }
}
