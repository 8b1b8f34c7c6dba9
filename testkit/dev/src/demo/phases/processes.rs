//! Signers and witness as processes of their own.

use std::collections::BTreeSet;

use anyhow::bail;

use crate::demo::stand::Stand;

/// Signers and witness are processes of their own, with distinct keys, and none listens on a port.
pub fn separate_processes(stand: &Stand) -> anyhow::Result<()> {
    let pids: BTreeSet<u32> = stand.children.iter().map(|child| child.pid()).collect();
    let keys: BTreeSet<[u8; 32]> = stand
        .installation
        .genesis
        .witness_keys()
        .map(|(_, key)| key)
        .collect();
    if pids.len() != stand.children.len() || keys.len() != stand.children.len() {
        bail!("signers share a process or a key");
    }

    // A signer takes frames from one Unix socket: a port would be a second way in.
    for child in &stand.children {
        let ports = listening_sockets(child.pid())?;
        if ports > 0 {
            bail!("{} listens on {ports} ports", child.name());
        }
    }
    println!(
        "    ✓ {} processes, each with its own folder and keys; none listens on a port",
        pids.len()
    );
    Ok(())
}

/// TCP sockets in state LISTEN (0A) that belong to a process, from `/proc`.
fn listening_sockets(pid: u32) -> anyhow::Result<usize> {
    let mut listening = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for fields in text
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
        {
            if fields.get(3) == Some(&"0A") {
                listening.extend(fields.get(9).map(|inode| format!("socket:[{inode}]")));
            }
        }
    }

    let links = std::fs::read_dir(format!("/proc/{pid}/fd"))?;
    let open = links.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    Ok(open
        .filter(|target| listening.contains(&target.to_string_lossy().into_owned()))
        .count())
}
