//! What a person can try once the platform is up.

use super::PAYEE;
use crate::children::program;
use crate::demo::stand::Stand;

/// Prints the URL, and commands to go on with.
pub fn how_to_go_on(stand: &mut Stand) -> anyhow::Result<()> {
    let url = stand.url()?;
    stand.write_client_files()?;
    let profile = stand.layout.profile();
    let program = program("strongroom")?;
    let strongroom = format!("{} --profile {}", program.display(), profile.display());
    let key = |name: &str| stand.layout.person(name).display().to_string();
    let vault = stand.people.vault;
    println!("\n■ The platform is up: {url}/v1/status");
    println!("  Another transfer (0.05 BTC, needs an approval):");
    println!(
        "    {strongroom} tx create --vault {vault} --to {PAYEE} --amount 5000000 --fee-max 50000 \\"
    );
    println!("        --external-id my-first --key {}", key("initiator"));
    println!("  What waits for approval:");
    println!("    {strongroom} approvals list");
    println!("  Approve it (the command shows what it does, and the 16 words):");
    println!(
        "    {strongroom} approvals approve TX --key {} --reason \"checked\"",
        key("alice")
    );
    println!("  See it: {strongroom} tx show TX · {strongroom} tx timeline TX");
    println!(
        "  The client's own copy of the claim: {} verify {}",
        program.display(),
        stand.layout.root().display()
    );
    println!("  Ctrl-C ends everything.");
    Ok(())
}
