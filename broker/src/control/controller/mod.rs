//! The shell around the pure controller: it stands for election, carries out what [`Controller`] wants, and reports what came of it.
//!
//! | file | idea |
//! |---|---|
//! | `election` | `/controller` and its epoch |
//! | `subjects` | what is read and watched, each by at most one request at a time |
//! | `reads` | the reading itself, pipelined |
//! | `writes` | transactions fenced by the controller epoch |
//! | `deletion` | those that take a topic away |
//! | `channels` | the ways to the other brokers |
//! | `outcomes` | what brokers' answers mean |
//! | `isr_calls` | AlterPartition, from request to response |
//! | `office` | one term: the loop that joins them |

mod channels;
mod deletion;
mod election;
mod isr_calls;
mod office;
mod outcomes;
mod reads;
mod subjects;
mod writes;

use tracing::{error, info};
use vltava_cluster::controller::{Controller, ControllerOptions, Event};

use super::{Shared, session::Session, shutdown::Calls};

pub(crate) use election::current_controller;
pub(crate) use isr_calls::Answer as IsrAnswer;

/// Stands for election again and again, and governs while in office. Returns only with the end of the session.
pub(crate) async fn stand_for_election(
    session: Session,
    options: ControllerOptions,
    shared: &Shared,
    calls: &mut Calls,
) {
    let (me, status) = (shared.broker_id, &shared.status);
    let mut machine = Controller::new(options);
    while !session.is_over() {
        let stood = election::stand(&session, me).await;
        // What keeps elections from being held may stay for long: it is told when it begins, and is in the status.
        let failure = stood.as_ref().err().map(ToString::to_string);
        let known = std::mem::replace(&mut *shared.election_failure.lock(), failure.clone());
        match stood {
            Ok(election::Outcome::Elected { epoch, epoch_version }) => {
                info!(controller.epoch = epoch, "this broker is the controller");
                let term = office::Term { session: &session, epoch, epoch_version };
                office::govern(term, &mut machine, shared, calls).await;
                machine.handle(Event::Resigned);
                status.send_modify(ControllerStatus::resign);
                info!(controller.epoch = epoch, "this broker is no longer the controller");
            }
            Ok(election::Outcome::Other { broker, watcher }) => {
                info!(controller.id = broker, "another broker is the controller");
                status.send_modify(|status| status.elsewhere = true);
                watcher.changed().await;
                status.send_modify(|status| status.elsewhere = false);
            }
            Err(error) => {
                if known != failure {
                    error!(%error, "there is no election of a controller until this is put right");
                }
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            }
        }
    }
    status.send_modify(ControllerStatus::resign);
}

/// What metrics say of the controller on this broker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ControllerStatus {
    /// Whether another broker is in office.
    pub elsewhere: bool,
    /// Whether it is in office and has read everything.
    pub active: bool,
    /// All topics.
    pub topics: usize,
    /// All partitions.
    pub partitions: usize,
    /// Partitions without leader.
    pub offline_partitions: usize,
    /// Partitions that another than the preferred replica leads.
    pub preferred_imbalance: usize,
    /// Topics on their way out.
    pub topics_to_delete: usize,
    /// Leaders elected that were not in sync, since the broker started.
    pub unclean_elections: u64,
}

impl ControllerStatus {
    /// Out of office; what has been counted stays.
    pub(super) fn resign(&mut self) {
        *self = Self { unclean_elections: self.unclean_elections, ..Self::default() };
    }
}
