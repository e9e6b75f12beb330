//! LeaveGroup, and what removes members for an administrator (KIP-345).

use vltava_protocol::ErrorCode;

use super::action::Action;
use super::moment::Moment;
use super::state::{Group, State};

/// A member to remove: by id, or by static name with an empty id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingMember {
    /// The member's id; empty when only its static name is known.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// As asked.
    pub member: LeavingMember,
    /// NONE, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID.
    pub error: ErrorCode,
}

impl Group {
    /// Members leave; the rest rebalances. `Err` is the answer for the whole request.
    pub fn leave(
        &mut self,
        members: Vec<LeavingMember>,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Result<Vec<Leaving>, ErrorCode> {
        if self.state == State::Dead {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let left = members
            .into_iter()
            .map(|member| {
                let error = self.leave_one(&member, now, out).err().unwrap_or(ErrorCode::None);
                Leaving { member, error }
            })
            .collect();
        self.try_complete_join(now, out);
        Ok(left)
    }

    fn leave_one(
        &mut self,
        leaving: &LeavingMember,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Result<(), ErrorCode> {
        if self.promised_ids.redeem(&leaving.member_id) {
            return Ok(());
        }
        let id = match (&leaving.instance_id, leaving.member_id.is_empty()) {
            (Some(name), true) => self.static_members.get(name).cloned().ok_or(ErrorCode::UnknownMemberId)?,
            _ => leaving.member_id.clone(),
        };
        self.validate(&id, leaving.instance_id.as_deref())?;
        self.remove_and_rebalance(&id, now, out);
        Ok(())
    }
}
