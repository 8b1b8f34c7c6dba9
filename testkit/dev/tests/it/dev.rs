//! `strongroom-dev dev`: installs once, serves, ends by a signal, and goes on from its folder.

use crate::processes::{RoleProcess, have_signer, within};
use strongroom_client::Client;

#[test]
fn a_development_platform_installs_once_and_goes_on_from_its_folder() {
    have_signer();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("platform");
    let mut hashes = Vec::new();
    for start in ["first.log", "second.log"] {
        let arguments = ["dev", "--dir", dir.to_str().unwrap(), "--port", "0"];
        let mut process = RoleProcess::command(&arguments, &folder.path().join(start));
        let url = process.url();
        let api = url.strip_suffix("/v1/status").unwrap();

        let key = std::fs::read_to_string(dir.join("clients/operator.key")).unwrap();
        let client = Client::new(api, key.trim());
        let status = within("a fresh head", || {
            let status = client.status().ok();
            status.filter(|status| status.journal.fresh.is_some())
        });
        hashes.push(status.genesis);
        assert_eq!(process.terminate(), Some(0));
    }
    assert_eq!(hashes[0], hashes[1], "installed once");
}
