//! The tenant's signers: real signatures over what the service asks for.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use strongroom_mpc_core::ChildPath;
use strongroom_mpc_core::signing::{KeyShare, PublicKeys, SigningPackage};
use strongroom_wire::{SigningRequested, SigningSlot};
use strongroom_world::Ceremony;

/// Signatures of the whole roster, one per slot. The same request gives the same bytes.
pub fn sign(ceremony: &Ceremony, request: &SigningRequested) -> Vec<Vec<u8>> {
    request
        .slots
        .iter()
        .map(|slot| sign_slot(ceremony, slot))
        .collect()
}

fn sign_slot(ceremony: &Ceremony, slot: &SigningSlot) -> Vec<u8> {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let open = |(index, record): (&u16, _)| (*index, KeyShare::open(record, [1; 16]).unwrap());
    let mut shares: Vec<(u16, KeyShare)> = ceremony.shares.iter().map(open).collect();

    let commitments = shares
        .iter_mut()
        .map(|(index, share)| (*index, share.prepare(1, &mut rng).unwrap().remove(0)))
        .collect();
    let public = &ceremony.public;
    let package = SigningPackage {
        suite: public.suite,
        key_id: public.key_id.clone(),
        epoch: public.epoch,
        message: slot.message.clone(),
        commitments,
        path: ChildPath::new(slot.path.clone()).unwrap(),
        tweak: slot.tweak,
    };

    let shares: Vec<_> = shares
        .iter_mut()
        .map(|(_, share)| share.sign(&package).unwrap())
        .collect();
    let mut keys = PublicKeys::open(public.clone()).unwrap();
    keys.aggregate(&package, &shares).unwrap()
}
