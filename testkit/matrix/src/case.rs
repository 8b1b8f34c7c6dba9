//! One kind of record, with its history.

use strongroom_ports::bus::Record;
use strongroom_types::NodeId;
use strongroom_wire::Role;

use crate::published::Published;

type MakeOne<F> = Box<dyn Fn(&F, &Published) -> Record>;
type MakeMany<F> = Box<dyn Fn(&F, &Published) -> Vec<Record>>;

/// One row of the matrix: a kind of record the stage consumes.
pub struct Case<F> {
    pub(crate) name: &'static str,
    pub(crate) roles: Vec<Role>,
    pub(crate) only_from: Option<NodeId>,
    pub(crate) given: Vec<MakeMany<F>>,
    pub(crate) record: MakeOne<F>,
    pub(crate) impostors: Option<MakeMany<F>>,
    pub(crate) repeats_when_forgotten: Option<&'static str>,
    pub(crate) without_effect: Option<&'static str>,
    pub(crate) lost_by_restart: Option<&'static str>,
}

impl<F> Case<F> {
    /// A kind of record that services of these roles alone may send. `record` makes a valid one
    /// that has an effect.
    pub fn new(
        name: &'static str,
        roles: &[Role],
        record: impl Fn(&F, &Published) -> Record + 'static,
    ) -> Self {
        Self {
            name,
            roles: roles.to_vec(),
            only_from: None,
            given: Vec::new(),
            record: Box::new(record),
            impostors: None,
            repeats_when_forgotten: None,
            without_effect: None,
            lost_by_restart: None,
        }
    }

    /// One more step of history; its records are handled before the next step.
    #[must_use]
    pub fn given(mut self, step: impl Fn(&F, &Published) -> Vec<Record> + 'static) -> Self {
        self.given.push(Box::new(step));
        self
    }

    /// Of the roles, only this node may send it (a signer's own topic).
    #[must_use]
    pub fn only_from(mut self, node: NodeId) -> Self {
        self.only_from = Some(node);
        self
    }

    /// Wrong senders' records beside the generated ones. For a record that is not an envelope it
    /// makes all of them.
    #[must_use]
    pub fn impostors(mut self, records: impl Fn(&F, &Published) -> Vec<Record> + 'static) -> Self {
        self.impostors = Some(Box::new(records));
        self
    }

    /// A second delivery after the message id was forgotten (two weeks later) has another effect,
    /// and why that is right.
    #[must_use]
    pub fn repeats_when_forgotten(mut self, why: &'static str) -> Self {
        self.repeats_when_forgotten = Some(why);
        self
    }

    /// This record changes nothing, and why it is consumed all the same.
    #[must_use]
    pub fn without_effect(mut self, why: &'static str) -> Self {
        self.without_effect = Some(why);
        self
    }

    /// A restart loses the history that this record answers, and why that is right. The cells of a
    /// restart then only show that nothing else happens instead. For stateless stages.
    #[must_use]
    pub fn lost_by_restart(mut self, why: &'static str) -> Self {
        self.lost_by_restart = Some(why);
        self
    }
}
