//! Services in one process, links in another, each signer in its own: a transfer is signed.

use crate::processes::{Site, within};
use std::time::Duration;
use strongroom_api_types::KeyState;
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_chain_bitcoin_dev::{Confirm, DevChain};
use strongroom_client::{Client, ClientError};
use strongroom_dev::demo::people::{People, intent_digest};
use strongroom_host::SystemEntropy;
use strongroom_ports::chain::OwnPath;
use strongroom_types::{
    ActBody, CeremonyPlan, Code, Digest, RegistryRecord, Signed, Suite, TransactionId, Vault,
};
use strongroom_wire::TransactionState;

const SERVICES: &str = "api,approvals,transactions,coordinator,writer";
const PAYEE: &str = "bcrt1pccz8l9zpa47k6vz9gphftsrumpw80rjt3nhnefat4symjhrsnmjsgkm3r6";
const SIGNED_WITHIN_MS: u64 = 20_000;

/// A client who acts for the tenant's admin.
struct Admin<'a> {
    people: &'a People,
    client: &'a Client,
}

impl Admin<'_> {
    fn submit(client: &Client, signed: &Signed) -> Result<Digest, ClientError> {
        let digest = client.submit_act(signed)?;
        client.wait_act(&digest, Duration::from_secs(20))?;
        Ok(digest)
    }

    fn try_act(&self, body: ActBody) -> Result<Digest, ClientError> {
        let version = self.client.tenant(self.people.tenant)?.version;
        let signed = self.people.admin_act(version, body, &SystemEntropy);
        Self::submit(self.client, &signed)
    }

    fn act(&self, body: ActBody) -> Digest {
        self.try_act(body).unwrap()
    }

    fn generate_key(&self) {
        let key = self.people.key;
        let suite = Suite::FrostSecp256k1Tr;
        let plan = CeremonyPlan {
            key,
            suite,
            min_signers: 2,
            roster: vec![1, 2, 3],
        };
        let proposal = self.act(ActBody::Put(RegistryRecord::Ceremony(plan)));
        self.release(proposal);
        within("the key is generated", || {
            let tenant = self.client.tenant(self.people.tenant).unwrap();
            tenant
                .keys
                .iter()
                .any(|key| key.state == KeyState::Active)
                .then_some(())
        });
    }

    /// Releases a proposal as soon as the journal takes it: until witnesses have seen it, and its
    /// delay has passed since, the release is refused by name.
    fn release(&self, proposal: Digest) {
        let too_early = [Code::NotWitnessed, Code::ReleaseTooEarly].map(|code| code.as_str());
        within("the proposal is released", || {
            match self.try_act(ActBody::Release(proposal)) {
                Ok(_) => Some(()),
                Err(error) if error.code().is_some_and(|code| too_early.contains(&code)) => None,
                Err(error) => panic!("the release is refused: {error}"),
            }
        });
    }

    fn create_vault(&self) {
        let vault = Vault {
            id: self.people.vault,
            name: "Treasury".parse().unwrap(),
            key: self.people.key,
            account: 0,
            tags: Vec::new(),
        };
        self.act(ActBody::Put(RegistryRecord::Vault(vault)));
    }
}

#[test]
fn services_links_and_signers_in_processes_of_their_own_sign_a_transfer() {
    let site = Site::install();
    let mut services = site.run(SERVICES);
    let url = services.url();
    let client = Client::new(&url, &site.installation.tenant_key);
    let operator = Client::new(&url, &site.installation.operator_key);

    // Its memory holds keys, the log's among them.
    let limits = services.limits();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.unwrap().split_whitespace().skip(4).collect();
    assert_eq!(core, ["0", "0", "bytes"]);

    // Without links no witness answers: the API is there, and not ready.
    let refused = client.own_vaults().unwrap_err();
    assert_eq!(refused.code(), Some("not_ready"));
    assert_eq!(client.status().unwrap().journal.fresh, None);

    let links = site.run("link");
    let mut signers = site.start_signers();
    site.wait_ready(&client);

    let admin = Admin {
        people: &site.people,
        client: &client,
    };
    site.create_tenant(&operator);
    admin.generate_key();
    admin.create_vault();
    let codec = BitcoinCodec::new(Network::Regtest).unwrap();
    let first = OwnPath {
        change: 0,
        index: 0,
    };
    let address = within("the vault is proved from genesis", || {
        let genesis = &site.installation.genesis;
        client
            .proved_address(genesis, &codec, site.people.vault_name(), first)
            .ok()
    });

    // The chain is a file, as a node would be a server: the test pays the vault beside the service.
    let chain = DevChain::open(&site.layout.chain(), Confirm::AtOnce).unwrap();
    chain.fund(&address.address, 1_000_000, 3).unwrap();
    let intent = site
        .people
        .intent("invoice-1", PAYEE, 30_000, "a transfer")
        .unwrap();
    client.create_transaction(&intent).unwrap();
    let id = TransactionId::from(intent_digest(&intent));
    let wanted = Some(TransactionState::Signed);
    let shown = client.transaction(id, wanted, SIGNED_WITHIN_MS).unwrap();
    assert!(
        shown.state.0.is_signed(),
        "{}: {:?}",
        shown.state,
        shown.reason
    );

    signers
        .iter_mut()
        .for_each(|signer| assert!(signer.alive(), "{}", signer.name()));
    assert_eq!(links.terminate(), Some(0));
    assert_eq!(services.terminate(), Some(0));
}

#[test]
fn a_second_process_of_a_role_ends_with_its_exit_code() {
    let site = Site::install();
    let mut first = site.run("api,approvals");
    let _ = first.url();
    let mut second = site.run("approvals,coordinator");
    assert_eq!(second.ended(), Some(15));
    assert!(
        second
            .log()
            .contains("role approvals: another process runs on"),
        "{}",
        second.log()
    );
    assert_eq!(first.terminate(), Some(0));
}
