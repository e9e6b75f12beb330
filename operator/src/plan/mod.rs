//! What follows from the resources: each broker's properties, and what to do about each topic. Pure: the operator and `vltava up`
//! share these functions and differ in their [`Platform`].

mod broker;
mod topic;

pub use self::broker::{Address, BrokerPlan, Nowhere, Platform, broker_ids, brokers, listeners};
pub use self::topic::{ExistingTopic, TopicChange, TopicPlan, changes, topic_name, topic_plan};
