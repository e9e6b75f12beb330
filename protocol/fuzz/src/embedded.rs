//! What travels or lies inside of other bytes, its version in front: consumers' metadata, the records of internal topics, control
//! records.

use vltava_protocol::{
    consumer::{ConsumerProtocolAssignment, ConsumerProtocolSubscription},
    group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue},
    records::{ControlType, EndTxnMarker},
    transaction_records::{TransactionLogKey, TransactionLogValue},
};

/// The bytes, taken for each of them.
pub fn run(bytes: &[u8]) {
    if let Ok(subscription) = ConsumerProtocolSubscription::parse(bytes) {
        // A string that was no UTF-8 grows, perhaps beyond what its length can say.
        let Ok(written) = subscription.to_bytes(3) else { return };
        let again = ConsumerProtocolSubscription::parse(&written).expect("what was written can be read");
        assert_eq!(again, subscription);
    }
    if let Ok(assignment) = ConsumerProtocolAssignment::parse(bytes) {
        let Ok(written) = assignment.to_bytes(3) else { return };
        let again = ConsumerProtocolAssignment::parse(&written).expect("what was written can be read");
        assert_eq!(again, assignment);
    }
    let _ = GroupRecordKey::parse(bytes);
    let _ = OffsetCommitValue::parse(bytes);
    let _ = GroupMetadataValue::parse(bytes);
    let _ = TransactionLogKey::parse(bytes);
    let _ = TransactionLogValue::parse(bytes);
    let _ = ControlType::from_key(Some(bytes));
    let (key, value) = bytes.split_at(bytes.len().min(4));
    let _ = EndTxnMarker::parse(Some(key), Some(value));
}
