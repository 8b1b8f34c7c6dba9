//! The end of the server.

use crate::fixture::{Served, TENANT};
use std::io::{Read as _, Write as _};
use std::time::Duration;

#[test]
fn server_without_requests_ends_at_once() {
    let served = Served::new();
    assert!(served.stops_within(Duration::from_secs(1)));
}

/// Anyone who reaches the port could keep the process from ending, and its successor from starting.
#[test]
fn hole_client_that_sends_half_a_body_does_not_hold_the_stop() {
    let served = Served::new();
    let mut client = served.connect();
    let head = format!(
        "POST /v1/transactions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {TENANT}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n"
    );
    client.write_all(head.as_bytes()).unwrap();

    // The answer says that the body is being read.
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    client.write_all(b"{").unwrap();

    assert!(served.stops_within(Duration::from_secs(5)));
}
