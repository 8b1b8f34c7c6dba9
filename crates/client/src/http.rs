//! HTTP on loopback.

use crate::error::ClientError;
use crate::plain::hidden_in;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::time::Duration;
use strongroom_api_types::{ProblemDetails, SignedRequest};
use strongroom_types::{Signed, printable};
use ureq::Agent;
use ureq::http::Response;
use zeroize::Zeroizing;

/// Longest wait for one answer: the server's longest wait for a change (30 s), and room.
const TIMEOUT: Duration = Duration::from_secs(45);
/// Largest answer, bytes; a hostile server must not fill this process's memory.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One server with one bearer key.
pub(crate) struct Http {
    agent: Agent,
    base: String,
    authorization: Zeroizing<String>,
}

impl Http {
    pub(crate) fn new(base: &str, bearer: &str) -> Self {
        // Neither proxies nor redirects are followed: neither the environment nor a server may send
        // a bearer key elsewhere.
        let config = Agent::config_builder()
            // A refusal is an answer with a body: as an error of the transport its code would be
            // lost.
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .proxy(None)
            .build();
        Self {
            agent: config.new_agent(),
            base: base.trim_end_matches('/').to_owned(),
            authorization: Zeroizing::new(format!("Bearer {bearer}")),
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn get<T: DeserializeOwned + Serialize>(
        &self,
        path: &str,
    ) -> Result<T, ClientError> {
        answer(&self.get_text(path)?)
    }

    pub(crate) fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let request = self
            .agent
            .get(self.url(path)?)
            .header("authorization", self.authorization.as_str());
        read_body(request.call())
    }

    pub(crate) fn post<T: DeserializeOwned + Serialize>(
        &self,
        path: &str,
        signed: &Signed,
    ) -> Result<T, ClientError> {
        let body =
            serde_json::to_string(&SignedRequest::from(signed)).map_err(ClientError::transport)?;

        let request = self
            .agent
            .post(self.url(path)?)
            .header("authorization", self.authorization.as_str())
            .header("content-type", "application/json");
        answer(&read_body(request.send(&body))?)
    }

    fn url(&self, path: &str) -> Result<String, ClientError> {
        if is_loopback(&self.base) {
            return Ok(format!("{}{path}", self.base));
        }
        let why = format!(
            "`{}` is not http://127.0.0.1 or http://[::1]; a bearer key does not leave this machine in \
             clear. Use a tunnel to the server (e.g. ssh -L) and http://127.0.0.1:PORT",
            self.base
        );
        Err(ClientError::transport(why))
    }
}

/// `http://` with a loopback address and nothing but an optional port behind it.
fn is_loopback(base: &str) -> bool {
    // The URL is compared as a whole text, not by a URL parser: parsers disagree on user names and
    // numeric hosts, and a host that one of them reads differently would be sent the bearer key.
    let Some(authority) = base.strip_prefix("http://") else {
        return false;
    };
    // Names are not taken: `localhost` leads to `::1` first on most machines, where the server may
    // not listen and another user of this machine may, who would be given the key.
    ["127.0.0.1", "[::1]"].into_iter().any(|host| {
        let rest = authority.strip_prefix(host);
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix(':')
                    .is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

fn read_body(answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<String, ClientError> {
    let mut answer = answer.map_err(ClientError::transport)?;

    let status = answer.status().as_u16();
    let text = answer
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_string()
        .map_err(ClientError::transport)?;

    if (200..300).contains(&status) {
        Ok(text)
    } else {
        Err(problem(status, &text))
    }
}

fn problem(status: u16, text: &str) -> ClientError {
    match serde_json::from_str::<ProblemDetails>(text) {
        // Its words are shown to people, and not one of them is signed.
        Ok(problem) => ClientError::Refused {
            status,
            code: printable(problem.code),
            detail: printable(problem.detail),
        },
        // The answer is from a proxy in between, or from a server of another kind.
        Err(_) => ClientError::Refused {
            status,
            code: "internal".to_owned(),
            detail: format!("HTTP status {status}"),
        },
    }
}

/// The text of an answer is not JSON.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not JSON")]
struct NotJson(#[source] serde_json::Error);

/// Reads an answer. One that is JSON but lacks a member, or has one of another form, says something
/// that cannot be true; so does one with characters that no member shows.
pub(crate) fn answer<T: DeserializeOwned + Serialize>(text: &str) -> Result<T, ClientError> {
    let value: T = serde_json::from_str(text).map_err(|e| match e.classify() {
        // The library's words may quote the server's.
        Category::Data => ClientError::untrue(printable(e.to_string())),
        Category::Io | Category::Syntax | Category::Eof => ClientError::transport(NotJson(e)),
    })?;

    // What a person reads before they sign stands on a terminal beside the server's words: one that
    // moves the cursor, or turns the direction of writing, would draw other words over it.
    let members = serde_json::to_value(&value).map_err(ClientError::transport)?;
    match hidden_in(&members) {
        None => Ok(value),
        Some(member) => Err(ClientError::untrue(format!(
            "`{member}` has characters that are not visible"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{raw_server, server};
    use std::io::ErrorKind;
    use std::net::TcpListener;

    #[test]
    fn a_bearer_key_goes_to_loopback_only() {
        for good in [
            "http://127.0.0.1:8080",
            "http://127.0.0.1",
            "http://[::1]:1",
        ] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "https://127.0.0.1:1",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1:80@example.com",
            "http://127.0.0.1:99999",
            "http://127.0.0.1/x",
            "http://localhost:8080",
            "",
        ] {
            assert!(!is_loopback(bad), "{bad}");
            assert!(Http::new(bad, "secret").url("/v1/status").is_err());
        }
    }

    #[test]
    fn a_problem_gives_its_code_and_detail() {
        let text = r#"{"code":"conflict","detail":"taken","retryable":false,"status":409,
            "title":"conflict","type":"about:blank","instance":"/v1/acts"}"#;
        let error = problem(409, text);
        assert_eq!(
            (error.code(), error.to_string()),
            (Some("conflict"), "conflict: taken".to_owned())
        );
        assert_eq!(problem(500, "<html>").code(), Some("internal"));
    }

    /// The words of a hostile server: a line that looks like this program's own, an escape that hides
    /// what follows, a turn of the direction of writing.
    const DRAWN: [&str; 4] = [
        "x\\n  proved against the pinned genesis",
        "\\u001b[2K\\u001b[8m",
        "\\u009b8m",
        "\\u202e",
    ];

    #[test]
    fn hole_words_of_a_server_draw_nothing_on_a_terminal() {
        for drawn in DRAWN {
            let text = format!(
                r#"{{"code":"conflict{drawn}","detail":"{drawn}","retryable":false,"status":409,
                "title":"conflict","type":"about:blank","instance":"/v1/acts"}}"#
            );
            let ClientError::Refused { code, detail, .. } = problem(409, &text) else {
                panic!("{text}");
            };
            for shown in [code, detail] {
                assert_eq!(printable(shown.clone()), shown);
            }

            let digest = "00".repeat(32);
            let reason = format!(r#"{{"code":"conflict","detail":"{drawn}"}}"#);
            let act = format!(r#"{{"digest":"{digest}","state":"refused","reason":{reason}}}"#);
            let read = answer::<strongroom_api_types::ActInfo>(&act);
            assert!(matches!(read, Err(ClientError::Untrue(_))), "{drawn}");
            let wrong = format!(r#"{{"digest":"{digest}","state":"{drawn}"}}"#);
            let read = answer::<strongroom_api_types::ActInfo>(&wrong);
            let shown = crate::with_causes(&read.unwrap_err());
            assert_eq!(printable(shown.clone()), shown);
        }
    }

    #[test]
    fn an_answer_of_another_form_is_not_believed() {
        let read = |text: &str| answer::<strongroom_api_types::Receipt>(text);
        let digest = "00".repeat(32);
        let good = format!(r#"{{"digest":"{digest}","state":"submitted","later":1}}"#);
        assert!(read(&good).is_ok(), "a member that is not known yet");
        for wrong in [
            format!(r#"{{"digest":"{digest}"}}"#),
            format!(r#"{{"digest":"{digest}","state":"done"}}"#),
            r#"{"digest":"00","state":"submitted"}"#.to_owned(),
        ] {
            assert!(
                matches!(read(&wrong), Err(ClientError::Untrue(_))),
                "{wrong}"
            );
        }
        for broken in ["", "{", "<html>"] {
            assert!(
                matches!(read(broken), Err(ClientError::Transport(_))),
                "{broken}"
            );
        }
    }

    /// Answer to a request for a text.
    fn text_from(url: &str) -> Result<String, ClientError> {
        Http::new(url, "secret").get_text("/v1/journal/checkpoint")
    }

    #[test]
    fn a_server_that_points_elsewhere_sends_no_bearer_key_there() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let there = elsewhere.local_addr().unwrap();
        for status in [
            "301 Moved Permanently",
            "302 Found",
            "307 Temporary Redirect",
        ] {
            let head = format!("HTTP/1.1 {status}\r\nlocation: http://{there}/\r\n");
            let rest = "content-length: 0\r\nconnection: close\r\n\r\n";
            let url = raw_server((head + rest).into_bytes());

            let answer = text_from(&url);
            assert!(
                matches!(answer, Err(ClientError::Refused { .. })),
                "{answer:?}"
            );
            let arrived = elsewhere.accept().map_err(|error| error.kind());
            assert!(matches!(arrived, Err(ErrorKind::WouldBlock)), "{arrived:?}");
        }
    }

    #[test]
    fn an_answer_that_would_fill_the_memory_is_not_read() {
        let largest = usize::try_from(ANSWER_BYTES_MAX).unwrap();
        assert!(text_from(&server(&"a".repeat(largest - 1))).is_ok());
        let answer = text_from(&server(&"a".repeat(largest + 1)));
        assert!(matches!(answer, Err(ClientError::Transport(_))));
    }

    /// The environment is that of a whole process, so the test starts itself once more under one
    /// that names a proxy, at a port where no process listens.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is what is tested"
    )]
    fn no_bearer_key_goes_to_a_proxy_of_the_environment() {
        const NAMES: [&str; 4] = ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
        if std::env::var_os("STRONGROOM_TEST_PROXY").is_some() {
            assert_eq!(text_from(&server("direct")).unwrap(), "direct");
            return;
        }

        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        for name in &NAMES[..3] {
            let mut test = std::process::Command::new(std::env::current_exe().unwrap());
            for other in NAMES {
                test.env_remove(other).env_remove(other.to_lowercase());
            }
            test.env(name, &proxy).env("STRONGROOM_TEST_PROXY", "1");
            test.arg("no_bearer_key_goes_to_a_proxy_of_the_environment");
            let output = test.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "{name}: {said}"
            );
        }
    }
}
