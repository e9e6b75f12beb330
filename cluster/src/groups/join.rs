//! JoinGroup.

use vltava_protocol::ErrorCode;

use super::action::{Action, JoinAnswer, JoinMember, Waiter};
use super::member::Member;
use super::moment::Moment;
use super::state::{Group, State};

/// Milliseconds after which a member that has never completed a join is dropped: a client that gave up during a long rebalance does not
/// know its id and will never leave by it (KAFKA-7610).
const NEW_MEMBER_TIMEOUT: i64 = 300_000;

/// A JoinGroup request. Times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinRequest {
    /// The member's id, empty the first time.
    pub member_id: String,
    /// The id to give to a member that has none: client id or static name, a dash, a random UUID. The machine draws no lots.
    pub fresh_id: String,
    /// The static name (KIP-345).
    pub instance_id: Option<String>,
    /// Whether the client can be told to come back with its id (JoinGroup 4 and later, KIP-394).
    pub knows_member_id_required: bool,
    /// Whether the client honours `skip_assignment` (JoinGroup 9 and later, KIP-814).
    pub knows_skip_assignment: bool,
    /// The client id of the request's header.
    pub client_id: String,
    /// The client's address, with Java's leading slash.
    pub client_host: String,
    /// See [`super::Limits`].
    pub session_timeout: i32,
    /// How long a rebalance waits for the member; the session timeout in version 0.
    pub rebalance_timeout: i32,
    /// `consumer`, `connect`, or whatever the members agree on.
    pub protocol_type: String,
    /// In order of preference, with the subscription in each.
    pub protocols: Vec<(String, Vec<u8>)>,
}

impl Group {
    /// A member joins, or joins again. The answer may come with a later event.
    pub fn join(&mut self, request: JoinRequest, waiter: Waiter, now: Moment, out: &mut Vec<Action>) {
        if let Err(error) = self.admit(request, waiter, now, out) {
            let (error, member_id) = error;
            out.push(Action::Join(waiter, JoinAnswer::refused(error, &member_id)));
        }
        self.try_complete_join(now, out);
    }

    fn admit(
        &mut self,
        request: JoinRequest,
        waiter: Waiter,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Result<(), (ErrorCode, String)> {
        let refuse = |error| Err((error, request.member_id.clone()));
        if request.session_timeout < self.limits.min_session_timeout
            || request.session_timeout > self.limits.max_session_timeout
        {
            return refuse(ErrorCode::InvalidSessionTimeout);
        }
        if self.state == State::Dead {
            return refuse(ErrorCode::CoordinatorNotAvailable);
        }
        if !self.has_room_for(&request.member_id) {
            return refuse(ErrorCode::GroupMaxSizeReached);
        }
        if !self.speaks(&request) {
            return refuse(ErrorCode::InconsistentGroupProtocol);
        }
        if request.member_id.is_empty() {
            return self.join_unknown(request, waiter, now, out);
        }
        if self.promised_ids.redeem(&request.member_id) {
            if request.instance_id.is_some() {
                // A static member is never sent away for an id, so nobody holds this promise for it.
                return refuse(ErrorCode::UnknownMemberId);
            }
            self.add_and_rebalance(&request.member_id.clone(), request, waiter, now, out);
            return Ok(());
        }
        if let Err(error) = self.validate(&request.member_id, request.instance_id.as_deref()) {
            return refuse(error);
        }
        self.join_known(request, waiter, now, out);
        Ok(())
    }

    /// Members that a rebalance has already collected keep their place; others find room or not (`group.max.size`).
    fn has_room_for(&self, member_id: &str) -> bool {
        match self.state {
            State::Empty | State::Dead => true,
            State::PreparingRebalance => {
                let waiting = self.members.get(member_id).is_some_and(|member| member.joining.is_some());
                let taken = self.members.values().filter(|member| member.joining.is_some()).count();
                waiting || taken < self.limits.max_size
            }
            State::CompletingRebalance | State::Stable => {
                self.members.contains_key(member_id) || self.members.len() < self.limits.max_size
            }
        }
    }

    /// Whether the group and the member have a protocol in common.
    fn speaks(&self, request: &JoinRequest) -> bool {
        if request.protocol_type.is_empty() || request.protocols.is_empty() {
            return false;
        }
        if self.members.is_empty() {
            return true;
        }
        self.protocol_type.as_deref() == Some(request.protocol_type.as_str())
            && request.protocols.iter().any(|(name, _)| self.spoken_by_all(name))
    }

    pub(super) fn spoken_by_all(&self, protocol: &str) -> bool {
        self.members.values().all(|member| member.protocols.iter().any(|(name, _)| name == protocol))
    }

    fn join_unknown(
        &mut self,
        request: JoinRequest,
        waiter: Waiter,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Result<(), (ErrorCode, String)> {
        let fresh_id = request.fresh_id.clone();
        if let Some(instance_id) = &request.instance_id {
            match self.static_members.get(instance_id).cloned() {
                Some(old_id) => self.replace_static(&old_id, request, waiter, now, out),
                None => self.add_and_rebalance(&fresh_id, request, waiter, now, out),
            }
        } else if request.knows_member_id_required {
            let lapses_at = now.steady + i64::from(request.session_timeout);
            self.promised_ids.give(fresh_id.clone(), lapses_at);
            self.wake_by(lapses_at);
            return Err((ErrorCode::MemberIdRequired, fresh_id));
        } else {
            self.add_and_rebalance(&fresh_id, request, waiter, now, out);
        }
        Ok(())
    }

    fn join_known(&mut self, request: JoinRequest, waiter: Waiter, now: Moment, out: &mut Vec<Action>) {
        let id = request.member_id.clone();
        let unchanged = self.members.get(&id).is_some_and(|member| member.protocols == request.protocols);
        let leads = self.leader.as_deref() == Some(id.as_str());
        match self.state {
            // The member did not see the answer to its last join: it gets it again, and the rebalance goes on.
            State::CompletingRebalance if unchanged => self.answer_again(&request, waiter, now, out),
            State::Stable if unchanged && !leads => self.answer_again(&request, waiter, now, out),
            _ => self.update_and_rebalance(&id, request, waiter, now, out),
        }
    }

    fn answer_again(&mut self, request: &JoinRequest, waiter: Waiter, now: Moment, out: &mut Vec<Action>) {
        if let Some(member) = self.members.get_mut(&request.member_id) {
            member.client_id.clone_from(&request.client_id);
            member.client_host.clone_from(&request.client_host);
        }
        self.heard_of(&request.member_id, now);
        out.push(Action::Join(waiter, self.joined(&request.member_id, false)));
    }

    fn add_and_rebalance(
        &mut self,
        id: &str,
        request: JoinRequest,
        waiter: Waiter,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        if self.members.is_empty() {
            self.protocol_type = Some(request.protocol_type.clone());
        }
        if let Some(instance_id) = &request.instance_id {
            self.static_members.insert(instance_id.clone(), id.to_owned());
        }
        let expires_at = now.steady + NEW_MEMBER_TIMEOUT;
        self.wake_by(expires_at);
        let member = Member {
            id: id.to_owned(),
            instance_id: request.instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            session_timeout: request.session_timeout,
            rebalance_timeout: request.rebalance_timeout,
            protocols: request.protocols,
            assignment: Vec::new(),
            joining: Some(waiter),
            syncing: None,
            expires_at: Some(expires_at),
            is_new: true,
        };
        self.members.insert(id.to_owned(), member);
        if self.leader.is_none() {
            self.leader = Some(id.to_owned());
        }
        self.note_new_member();
        self.prepare_rebalance(now, out);
    }

    fn update_and_rebalance(
        &mut self,
        id: &str,
        request: JoinRequest,
        waiter: Waiter,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        // A client that joins again while its first request waits has given that one up.
        self.refuse_waiters(id, ErrorCode::UnknownMemberId, out);
        if let Some(member) = self.members.get_mut(id) {
            member.client_id = request.client_id;
            member.client_host = request.client_host;
            member.session_timeout = request.session_timeout;
            member.rebalance_timeout = request.rebalance_timeout;
            member.protocols = request.protocols;
            member.joining = Some(waiter);
            if !member.is_new {
                member.expires_at = None;
            }
        }
        self.prepare_rebalance(now, out);
    }

    /// A static member came back without its id: it takes over its predecessor's place, under a new id, and the predecessor is fenced.
    /// The group rebalances only if that would change something (KIP-345; KIP-814 for the leader).
    fn replace_static(
        &mut self,
        old_id: &str,
        request: JoinRequest,
        waiter: Waiter,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let new_id = request.fresh_id.clone();
        self.refuse_waiters(old_id, ErrorCode::FencedInstanceId, out);
        let Some(mut member) = self.members.remove(old_id) else { return };
        let chosen = self.protocol.clone();
        let same_subscription = chosen.as_deref().is_some_and(|protocol| {
            let offered = request.protocols.iter().find(|(name, _)| name == protocol);
            offered.is_some_and(|(_, metadata)| metadata == member.metadata(protocol))
        });
        let knows_skip_assignment = request.knows_skip_assignment;
        member.id.clone_from(&new_id);
        member.client_id = request.client_id;
        member.client_host = request.client_host;
        member.session_timeout = request.session_timeout;
        member.rebalance_timeout = request.rebalance_timeout;
        member.protocols = request.protocols;
        if let Some(instance_id) = &member.instance_id {
            self.static_members.insert(instance_id.clone(), new_id.clone());
        }
        self.members.insert(new_id.clone(), member);
        let led = self.leader.as_deref() == Some(old_id);
        if led {
            self.leader = Some(new_id.clone());
        }
        let keeps_protocol = self.choose_protocol() == chosen;
        if self.state == State::Stable && same_subscription && keeps_protocol {
            self.heard_of(&new_id, now);
            // The new id must survive a change of coordinator, but nobody waits for that.
            let stored = self.stored(now);
            self.write(super::action::Write::Group(stored), out);
            let mut answer = self.joined(&new_id, led && knows_skip_assignment);
            if led && !knows_skip_assignment {
                // An old client that thought itself the leader would send an assignment nobody asked for: it is told of another.
                answer.leader = old_id.to_owned();
                answer.members.clear();
            }
            out.push(Action::Join(waiter, answer));
            return;
        }
        if let Some(member) = self.members.get_mut(&new_id) {
            member.joining = Some(waiter);
            member.expires_at = None;
        }
        if self.state == State::PreparingRebalance {
            return;
        }
        self.prepare_rebalance(now, out);
    }

    /// What a member of the present generation is told.
    pub(super) fn joined(&self, member_id: &str, skip_assignment: bool) -> JoinAnswer {
        let leads = self.leader.as_deref() == Some(member_id);
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = if leads {
            let seen = self.members.values().map(|member| JoinMember {
                member_id: member.id.clone(),
                instance_id: member.instance_id.clone(),
                metadata: member.metadata(protocol).to_vec(),
            });
            seen.collect()
        } else {
            Vec::new()
        };
        JoinAnswer {
            error: ErrorCode::None,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member_id.to_owned(),
            skip_assignment,
            members,
        }
    }
}
