//! A group as `__consumer_offsets` keeps it.

use super::member::Member;
use super::moment::Moment;
use super::state::{Group, Limits, State};

/// The value of a group's metadata record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    /// `consumer`, `connect`, ...; `None` for a group nobody ever joined.
    pub protocol_type: Option<String>,
    /// The generation.
    pub generation: i32,
    /// The chosen protocol, `None` while empty.
    pub protocol: Option<String>,
    /// The leader's member id.
    pub leader: Option<String>,
    /// When the group entered its state.
    pub state_since: i64,
    /// The members.
    pub members: Vec<StoredMember>,
}

/// A member within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMember {
    /// The member's id.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// Its client id.
    pub client_id: String,
    /// Its address.
    pub client_host: String,
    /// Milliseconds.
    pub rebalance_timeout: i32,
    /// Milliseconds.
    pub session_timeout: i32,
    /// Its subscription in the chosen protocol.
    pub subscription: Vec<u8>,
    /// Its part.
    pub assignment: Vec<u8>,
}

impl Group {
    /// The group as it stands, for the log.
    pub(super) fn stored(&self, now: Moment) -> StoredGroup {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let keep = |member: &Member| StoredMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: member.rebalance_timeout,
            session_timeout: member.session_timeout,
            subscription: member.metadata(protocol).to_vec(),
            assignment: member.assignment.clone(),
        };
        StoredGroup {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_since: now.wall,
            members: self.members.values().map(keep).collect(),
        }
    }

    /// A group read back from the log. Its members have a whole session to be heard of.
    #[must_use]
    pub fn load(id: &str, limits: Limits, stored: StoredGroup, now: Moment) -> Group {
        let mut group = Group::new(id, limits, now);
        group.state_since = stored.state_since;
        group.protocol_type = stored.protocol_type.filter(|name| !name.is_empty());
        group.generation = stored.generation;
        if stored.members.is_empty() {
            return group;
        }
        group.state = State::Stable;
        group.leader = stored.leader;
        for member in stored.members {
            if let Some(instance_id) = &member.instance_id {
                group.static_members.insert(instance_id.clone(), member.member_id.clone());
            }
            let expires_at = now.steady + i64::from(member.session_timeout);
            group.wake_by(expires_at);
            let protocols =
                stored.protocol.iter().map(|name| (name.clone(), member.subscription.clone())).collect();
            let id = member.member_id.clone();
            group.members.insert(
                id,
                Member {
                    id: member.member_id,
                    instance_id: member.instance_id,
                    client_id: member.client_id,
                    client_host: member.client_host,
                    session_timeout: member.session_timeout,
                    rebalance_timeout: member.rebalance_timeout,
                    protocols,
                    assignment: member.assignment,
                    joining: None,
                    syncing: None,
                    expires_at: Some(expires_at),
                    is_new: false,
                },
            );
        }
        group.protocol = stored.protocol;
        group
    }
}
