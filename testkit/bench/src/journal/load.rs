//! The load: an installation with a tenant and a vault, and payments that its client signed
//! beforehand.

use super::Plan;
use strongroom_journal::Body;
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::UnixMs;
use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, PolicyOptions, World, WorldOptions};

/// Amount of each payment, satoshi: small enough for the policy to ask no one.
const AMOUNT: u64 = 10_000;
/// Payments that clients sign in a millisecond.
const SIGNED_PER_MS: u32 = 3;
const DAY_SECONDS: u64 = 24 * 3600;

/// Bodies to order, made before the clock starts.
pub struct Load {
    /// The installation with its keys; its state is the one before the first payment.
    pub ledger: Ledger,
    /// Everything up to the first vault, entry 0 excepted (the writer's own).
    pub setup: Vec<Body>,
    /// Payments, each with an external id and an anchor of its own.
    pub payments: Vec<Body>,
}

impl Load {
    pub fn new(plan: &Plan) -> Self {
        let window = Window {
            scope: VelocityScope::Tenant,
            window_seconds: DAY_SECONDS,
            amount_lte: Some((u64::MAX / 2).into()),
            count_lte: None,
        };
        let ceilings = vec![window; plan.ceilings as usize];
        let policy = PolicyOptions {
            ceilings,
            ..PolicyOptions::default()
        };
        let options = WorldOptions {
            policy,
            ..WorldOptions::default()
        };
        let ledger = Ledger::ready(World::new(1, options));
        let setup = ledger
            .entries
            .iter()
            .skip(1)
            .map(|entry| entry.body.clone())
            .collect();
        let pay = |at: u32| {
            let before_ms = u64::from((plan.entries - at) / SIGNED_PER_MS);
            let intent = ledger
                .world
                .intent(UnixMs(ledger.now.0 - before_ms), AMOUNT, FRIEND);
            ledger.authorization(&intent, &[]).into_body()
        };
        let payments = (0..plan.entries).map(pay).collect();
        Self {
            ledger,
            setup,
            payments,
        }
    }

    /// The harness's clock before the first payment.
    pub fn start(&self) -> UnixMs {
        self.ledger.now
    }
}
