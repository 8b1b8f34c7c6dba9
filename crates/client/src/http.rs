//! HTTP on loopback.

use crate::error::ClientError;
use serde_json::Value;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Response;
use zeroize::Zeroizing;

/// Longest wait for one answer: the server's longest wait for a change, and room.
const TIMEOUT: Duration = Duration::from_secs(45);
/// Largest answer.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One server with one bearer key.
pub(crate) struct Http {
    agent: Agent,
    base: String,
    authorization: Zeroizing<String>,
}

impl Http {
    pub(crate) fn new(base: &str, bearer: &str) -> Self {
        // No proxy: the environment must not send a bearer key elsewhere. No redirects for the same
        // reason.
        let config = Agent::config_builder()
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

    pub(crate) fn get(&self, path: &str) -> Result<Value, ClientError> {
        json(&self.get_text(path)?)
    }

    pub(crate) fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let request = self
            .agent
            .get(self.url(path)?)
            .header("authorization", self.authorization.as_str());
        read(request.call())
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Result<Value, ClientError> {
        let request = self
            .agent
            .post(self.url(path)?)
            .header("authorization", self.authorization.as_str())
            .header("content-type", "application/json");
        json(&read(request.send(body))?)
    }

    fn url(&self, path: &str) -> Result<String, ClientError> {
        if is_loopback(&self.base) {
            return Ok(format!("{}{path}", self.base));
        }
        let why = format!(
            "`{}` is not http:// on loopback; a bearer key does not leave this machine in clear. \
             Use a tunnel to the server (e.g. ssh -L) and http://127.0.0.1:PORT",
            self.base
        );
        Err(ClientError::Transport(why))
    }
}

/// `http://` with a loopback host and nothing but an optional port behind it.
fn is_loopback(base: &str) -> bool {
    let Some(authority) = base.strip_prefix("http://") else {
        return false;
    };
    ["127.0.0.1", "localhost", "[::1]"].into_iter().any(|host| {
        let rest = authority.strip_prefix(host);
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix(':')
                    .is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

fn read(answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<String, ClientError> {
    let failed = |e: ureq::Error| ClientError::Transport(e.to_string());
    let mut answer = answer.map_err(failed)?;
    let status = answer.status().as_u16();
    let text = answer
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_string()
        .map_err(failed)?;
    if (200..300).contains(&status) {
        Ok(text)
    } else {
        Err(problem(status, &text))
    }
}

fn problem(status: u16, text: &str) -> ClientError {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let member = |name: &str| {
        problem
            .get(name)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    ClientError::Refused {
        status,
        code: member("code").unwrap_or_else(|| "internal".to_owned()),
        detail: member("detail").unwrap_or_else(|| format!("HTTP status {status}")),
    }
}

fn json(text: &str) -> Result<Value, ClientError> {
    serde_json::from_str(text)
        .map_err(|e| ClientError::Transport(format!("the answer is not JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_key_goes_to_loopback_only() {
        for good in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1",
        ] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "https://127.0.0.1:1",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1:80@example.com",
            "http://localhost:99999",
            "http://localhost/x",
            "",
        ] {
            assert!(!is_loopback(bad), "{bad}");
            assert!(Http::new(bad, "secret").url("/v1/status").is_err());
        }
    }

    #[test]
    fn a_problem_gives_its_code_and_detail() {
        let error = problem(409, r#"{"code":"conflict","detail":"taken","status":409}"#);
        assert_eq!(
            (error.code(), error.to_string()),
            (Some("conflict"), "conflict: taken".to_owned())
        );
        assert_eq!(problem(500, "<html>").code(), Some("internal"));
    }
}
