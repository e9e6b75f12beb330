//! What DescribeGroups and ListGroups tell of a group.

use super::state::{Group, State};

/// A group as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Where the group stands.
    pub state: State,
    /// Empty for a group nobody joined.
    pub protocol_type: String,
    /// The chosen protocol, empty unless the group is stable.
    pub protocol: String,
    /// The members, in the order of their ids.
    pub members: Vec<MemberDescription>,
}

/// A member as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberDescription {
    /// The member's id.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// The client's id.
    pub client_id: String,
    /// The client's address.
    pub client_host: String,
    /// Its subscription; empty unless the group is stable.
    pub metadata: Vec<u8>,
    /// Its part; empty unless the group is stable.
    pub assignment: Vec<u8>,
}

impl Group {
    /// The group's type, where it has one.
    #[must_use]
    pub fn protocol_type(&self) -> Option<&str> {
        self.protocol_type.as_deref()
    }

    /// The group and its members. While it rebalances there is no telling what the members read, and the answer leaves it out, as Kafka's does.
    #[must_use]
    pub fn describe(&self) -> Description {
        let protocol = self.protocol.as_deref().filter(|_| self.state == State::Stable);
        let members = self.members.values().map(|member| MemberDescription {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: protocol.map(|protocol| member.metadata(protocol).to_vec()).unwrap_or_default(),
            assignment: if protocol.is_some() { member.assignment.clone() } else { Vec::new() },
        });
        Description {
            state: self.state,
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol: protocol.unwrap_or_default().to_owned(),
            members: members.collect(),
        }
    }
}
