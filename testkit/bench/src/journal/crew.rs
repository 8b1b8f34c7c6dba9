//! All nodes, worked by a few threads: a free one takes the node whose records have waited
//! longest.

use super::load::Load;
use super::node::{Bytes, Node, Spent, Tally, signatures};
use crate::measure::median;
use anyhow::Context as _;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// The writer waits while a node has this many records before it: the rate is that of the slowest.
const WAITING_MAX: usize = 24;
/// Records taken by a node at once.
const TAKE_MAX: usize = 64;

/// The nodes of an installation and the records that wait for each.
pub struct Crew {
    /// The writer first; taken out while a thread works it.
    nodes: Vec<Option<Node>>,
    waiting: Vec<VecDeque<Bytes>>,
    since: Instant,
    failed: Option<anyhow::Error>,
}

/// What a free thread may do next.
#[expect(clippy::large_enum_variant, reason = "moved once per task")]
enum Next {
    Work(Task),
    Wait,
    Done,
}

struct Task {
    at: usize,
    node: Node,
    records: Vec<Bytes>,
    order: bool,
}

impl Task {
    fn run(&mut self, since: Instant) -> anyhow::Result<Vec<Bytes>> {
        let mut out = self.node.receive(&self.records, since)?;
        if self.order {
            out.extend(self.node.order(since)?);
        }
        Ok(out)
    }
}

fn worker(shared: &Mutex<&mut Crew>, changed: &Condvar, since: Instant) {
    let mut crew = shared.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let mut task = match crew.next() {
            Next::Work(task) => task,
            Next::Wait => {
                crew = changed.wait(crew).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            Next::Done => return,
        };
        drop(crew);
        let result = task.run(since);
        crew = shared.lock().unwrap_or_else(PoisonError::into_inner);
        crew.publish(task, result);
        changed.notify_all();
    }
}

impl Crew {
    /// The installation with its tenant and vault, ordered, replayed and cosigned.
    pub fn new(load: &Load, folder: &Path) -> anyhow::Result<Self> {
        let mut nodes = vec![Node::writer(load, folder)?];
        nodes.extend(Node::cosigners(load, folder)?);
        let waiting = nodes.iter().map(|_| VecDeque::new()).collect();
        let nodes = nodes.into_iter().map(Some).collect();
        let mut crew = Self {
            nodes,
            waiting,
            since: Instant::now(),
            failed: None,
        };
        crew.work(1)?;
        crew.nodes
            .iter_mut()
            .flatten()
            .for_each(|node| node.ready(&load.payments, load.ledger.world.scope()));
        Ok(crew)
    }

    /// Works until nothing is left to order and every record was taken in.
    pub fn work(&mut self, threads: u32) -> anyhow::Result<()> {
        let since = self.since;
        let (shared, changed) = (Mutex::new(&mut *self), Condvar::new());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let worker = || worker(&shared, &changed, since);
                std::thread::Builder::new()
                    .name("crew".to_owned())
                    .spawn_scoped(scope, worker)?;
            }
            anyhow::Ok(())
        })?;
        self.failed.take().map_or(Ok(()), Err)
    }

    fn next(&mut self) -> Next {
        if self.failed.is_some() {
            return Next::Done;
        }
        let longest = self.waiting.iter().map(VecDeque::len).max().unwrap_or(0);
        let order = longest < WAITING_MAX && self.home(0).is_some_and(Node::can_order);
        let waits = |at: &usize| self.waiting.get(*at).map_or(0, VecDeque::len);
        let others = (0..self.nodes.len()).filter(|at| self.home(*at).is_some() && waits(at) > 0);
        let Some(at) = order.then_some(0).or_else(|| others.max_by_key(waits)) else {
            let idle = self.nodes.iter().all(Option::is_some);
            return if idle { Next::Done } else { Next::Wait };
        };
        let records = self.waiting.get_mut(at).map_or_else(Vec::new, |waiting| {
            let take = waiting.len().min(TAKE_MAX);
            waiting.drain(..take).collect()
        });
        let node = self.nodes.get_mut(at).and_then(Option::take);
        node.map_or(Next::Wait, |node| {
            Next::Work(Task {
                at,
                node,
                records,
                order,
            })
        })
    }

    /// A node that no thread is working.
    fn home(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)?.as_ref()
    }

    /// Puts a node back, and what it said before all the others.
    fn publish(&mut self, task: Task, said: anyhow::Result<Vec<Bytes>>) {
        match said {
            Ok(said) => {
                let others = self
                    .waiting
                    .iter_mut()
                    .enumerate()
                    .filter(|(at, _)| *at != task.at);
                others.for_each(|(_, waiting)| waiting.extend(said.iter().cloned()));
            }
            Err(error) => self.failed = Some(error),
        }
        if let Some(place) = self.nodes.get_mut(task.at) {
            *place = Some(task.node);
        }
    }

    /// Checks that every node stands where the writer does, and that a quorum vouches for it there.
    pub fn finish(self, load: &Load) -> anyhow::Result<(Tally, Spent, f64)> {
        let nodes: Vec<Node> = self.nodes.into_iter().flatten().collect();
        let writer = nodes.first().context("no writer")?;
        let tip = writer.replica().follower().tip().clone();
        anyhow::ensure!(
            tip.size == (1 + load.setup.len() + load.payments.len()) as u64,
            "entries are missing"
        );
        let (mut tally, mut spent) = (Tally::default(), Spent::default());
        for node in &nodes {
            let follower = node.replica().follower();
            anyhow::ensure!(*follower.tip() == tip, "a node stands elsewhere");
            anyhow::ensure!(
                follower.witnessed() == tip.size,
                "no quorum vouches for the tip"
            );
            anyhow::ensure!(
                follower.halted().is_none() && follower.evidence().is_empty(),
                "a node stopped"
            );
            tally.add(&node.tally, node.fsyncs());
            spent.add(&node.spent);
            tally.checks += load.payments.iter().map(signatures).sum::<usize>() as u64;
        }
        Ok((tally, spent, median(writer.witnessed_ms.clone())))
    }
}
