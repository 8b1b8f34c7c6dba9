//! All nodes of the installation.

use crate::clock::NodeClock;
use crate::disk::SimDisk;
use crate::kinds::NodeName;
use crate::plan::Plan;
use crate::service::{Parts, Service};
use crate::signer::SignerHost;
use std::sync::Arc;

/// Every process of the installation, whether it runs now or not.
pub(crate) struct Nodes {
    services: Vec<Service>,
    pub(crate) signers: Vec<SignerHost>,
}

/// One node.
pub(crate) enum NodeMut<'a> {
    Service(&'a mut Service),
    Signer(&'a mut SignerHost),
}

impl Nodes {
    pub(crate) fn new(parts: &Parts, plan: &Plan) -> Self {
        let clock = |node: NodeName| plan.clocks[node.at()];
        let service = |node| Service::new(node, parts.clone(), clock(node));
        let signer =
            |node| SignerHost::new(node, &parts.rig, Arc::clone(&parts.codec), clock(node));
        Self {
            services: NodeName::SERVICES.map(service).into(),
            signers: NodeName::SEATS.map(signer).into(),
        }
    }

    pub(crate) fn get(&mut self, node: NodeName) -> NodeMut<'_> {
        match node.seat() {
            0 => NodeMut::Service(&mut self.services[node.at()]),
            seat => NodeMut::Signer(&mut self.signers[usize::from(seat) - 1]),
        }
    }

    /// A signer or the witness; none for a service.
    pub(crate) fn signer(&mut self, node: NodeName) -> Option<&mut SignerHost> {
        match self.get(node) {
            NodeMut::Service(_) => None,
            NodeMut::Signer(signer) => Some(signer),
        }
    }

    pub(crate) fn api(&self) -> &Service {
        &self.services[NodeName::Api.at()]
    }

    /// The API beside the signers, for people who use both.
    pub(crate) fn for_people(&mut self) -> (&mut Service, &mut [SignerHost]) {
        let api = &mut self.services[NodeName::Api.at()];
        (api, &mut self.signers)
    }

    pub(crate) fn disk(&mut self, node: NodeName) -> &SimDisk {
        match self.get(node) {
            NodeMut::Service(service) => &service.disk,
            NodeMut::Signer(signer) => &signer.disk,
        }
    }

    pub(crate) fn clock(&mut self, node: NodeName) -> &mut NodeClock {
        match self.get(node) {
            NodeMut::Service(service) => &mut service.clock,
            NodeMut::Signer(signer) => &mut signer.clock,
        }
    }

    /// A node's process dies; it starts again after a pause.
    pub(crate) fn kill(&mut self, node: NodeName, why: &str, pause_ms: u64) {
        match self.get(node) {
            NodeMut::Service(service) => service.die(why, pause_ms),
            NodeMut::Signer(signer) => signer.die(why, pause_ms),
        }
    }

    /// One round of a node; gives when it is due again.
    pub(crate) fn step(&mut self, node: NodeName, idle_ms: u64) -> u64 {
        match self.get(node) {
            NodeMut::Service(service) => service.step(idle_ms),
            NodeMut::Signer(signer) => signer.step(idle_ms),
        }
    }

    /// Faults that last end now.
    pub(crate) fn calm_down(&mut self, now: u64) {
        for service in &self.services {
            service.disk.fill(now);
        }
        for signer in &mut self.signers {
            signer.hide_journal(0);
            signer.disk.fill(now);
        }
    }

    /// Why the replicas are not at one tree and one state, if they are not. A signer that was shown
    /// a fork has stopped permanently and is left out.
    pub(crate) fn difference(&self) -> Option<String> {
        let honest = || self.signers.iter().filter(|signer| !signer.misled);

        // Before the replicas are compared: one that has not read yet differs and is not wrong.
        if !honest().all(SignerHost::is_quiet) {
            return Some("records are on their way".into());
        }

        // Size and checkpoint body: the body names tree and state, so equal bodies are equal
        // states.
        let ours = self.services[NodeName::Writer.at()].tip()?;
        for service in &self.services {
            let tip = service.tip();
            if !service.is_up() || tip.as_ref() != Some(&ours) {
                let (node, size) = (service.node, ours.0);
                return Some(format!("{node} is at {tip:?}, the writer at {size}"));
            }
        }

        for signer in honest() {
            let (node, tip) = (signer.node, signer.tip());
            if !signer.is_up() || signer.is_halted() || tip != ours {
                return Some(format!("{node} is at {}, the writer at {}", tip.0, ours.0));
            }

            // Both ways: a key that outlives its disk signs two histories, and one that retires
            // without a reason costs the quorum a witness.
            let (restored, retired) = (signer.restored, signer.is_retired());
            if restored != retired {
                return Some(format!(
                    "{node}: disk put back {restored}, retired {retired}"
                ));
            }
        }

        // A quorum is 3 of 4: with fewer the installation would be at rest because it is dead.
        let counted = honest().filter(|signer| !signer.restored).count();
        (counted < 3).then(|| format!("{counted} witnesses are left"))
    }

    /// Lines for the debugger.
    pub(crate) fn describe(&self) -> Vec<String> {
        let services = self.services.iter().map(|s| (s.node, s.describe()));
        let signers = self.signers.iter().map(|s| (s.node, s.describe()));
        services
            .chain(signers)
            .map(|(node, text)| format!("{:<12} {text}", node.name()))
            .collect()
    }
}
