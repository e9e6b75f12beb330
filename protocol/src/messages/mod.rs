//! Requests and responses, one file for each API, at every version from Kafka 0.8 to 4.4.
//!
//! A field is documented where its name does not say it: `error_code` is a code of [`ErrorCode`](crate::ErrorCode) or 0, and
//! `throttle_time_ms` the time for which a quota held the request back. `unknown_tagged_fields` keeps what a newer peer added.

// A field whose name says all has no line of documentation that repeats it.
#![allow(missing_docs)]

pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod allocate_producer_ids;
pub mod alter_client_quotas;
pub mod alter_configs;
pub mod alter_partition;
pub mod alter_partition_reassignments;
pub mod alter_replica_log_dirs;
pub mod alter_user_scram_credentials;
pub mod api_versions;
pub mod consumer_group_describe;
pub mod consumer_group_heartbeat;
pub mod controlled_shutdown;
pub mod create_acls;
pub mod create_delegation_token;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_acls;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_acls;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_delegation_token;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_topic_partitions;
pub mod describe_transactions;
pub mod describe_user_scram_credentials;
pub mod elect_leaders;
pub mod end_txn;
pub mod envelope;
pub mod expire_delegation_token;
pub mod fetch;
pub mod find_coordinator;
pub mod header;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod leader_and_isr;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod renew_delegation_token;
pub mod sasl_authenticate;
pub mod sasl_handshake;
pub mod stop_replica;
pub mod sync_group;
pub mod txn_offset_commit;
pub mod unregister_broker;
pub mod update_features;
pub mod update_metadata;
pub mod write_txn_markers;

pub use add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
pub use add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};
pub use allocate_producer_ids::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
pub use alter_client_quotas::{AlterClientQuotasRequest, AlterClientQuotasResponse};
pub use alter_configs::{AlterConfigsRequest, AlterConfigsResponse};
pub use alter_partition::{AlterPartitionRequest, AlterPartitionResponse};
pub use alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
};
pub use alter_replica_log_dirs::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};
pub use alter_user_scram_credentials::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse};
pub use api_versions::{ApiVersionsRequest, ApiVersionsResponse};
pub use consumer_group_describe::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse};
pub use consumer_group_heartbeat::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
pub use controlled_shutdown::{ControlledShutdownRequest, ControlledShutdownResponse};
pub use create_acls::{CreateAclsRequest, CreateAclsResponse};
pub use create_delegation_token::{CreateDelegationTokenRequest, CreateDelegationTokenResponse};
pub use create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse};
pub use create_topics::{CreateTopicsRequest, CreateTopicsResponse};
pub use delete_acls::{DeleteAclsRequest, DeleteAclsResponse};
pub use delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
pub use delete_records::{DeleteRecordsRequest, DeleteRecordsResponse};
pub use delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
pub use describe_acls::{DescribeAclsRequest, DescribeAclsResponse};
pub use describe_client_quotas::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};
pub use describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
pub use describe_configs::{DescribeConfigsRequest, DescribeConfigsResponse};
pub use describe_delegation_token::{DescribeDelegationTokenRequest, DescribeDelegationTokenResponse};
pub use describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
pub use describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse};
pub use describe_producers::{DescribeProducersRequest, DescribeProducersResponse};
pub use describe_topic_partitions::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};
pub use describe_transactions::{DescribeTransactionsRequest, DescribeTransactionsResponse};
pub use describe_user_scram_credentials::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
};
pub use elect_leaders::{ElectLeadersRequest, ElectLeadersResponse};
pub use end_txn::{EndTxnRequest, EndTxnResponse};
pub use envelope::{EnvelopeRequest, EnvelopeResponse};
pub use expire_delegation_token::{ExpireDelegationTokenRequest, ExpireDelegationTokenResponse};
pub use fetch::{FetchRequest, FetchResponse};
pub use find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
pub use header::{RequestHeader, ResponseHeader};
pub use heartbeat::{HeartbeatRequest, HeartbeatResponse};
pub use incremental_alter_configs::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
pub use init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
pub use join_group::{JoinGroupRequest, JoinGroupResponse};
pub use leader_and_isr::{LeaderAndIsrRequest, LeaderAndIsrResponse};
pub use leave_group::{LeaveGroupRequest, LeaveGroupResponse};
pub use list_config_resources::{ListConfigResourcesRequest, ListConfigResourcesResponse};
pub use list_groups::{ListGroupsRequest, ListGroupsResponse};
pub use list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
pub use list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
pub use list_transactions::{ListTransactionsRequest, ListTransactionsResponse};
pub use metadata::{MetadataRequest, MetadataResponse};
pub use offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
pub use offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
pub use offset_fetch::{OffsetFetchRequest, OffsetFetchResponse};
pub use offset_for_leader_epoch::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
pub use produce::{ProduceRequest, ProduceResponse};
pub use renew_delegation_token::{RenewDelegationTokenRequest, RenewDelegationTokenResponse};
pub use sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
pub use sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};
pub use stop_replica::{StopReplicaRequest, StopReplicaResponse};
pub use sync_group::{SyncGroupRequest, SyncGroupResponse};
pub use txn_offset_commit::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
pub use unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};
pub use update_features::{UpdateFeaturesRequest, UpdateFeaturesResponse};
pub use update_metadata::{UpdateMetadataRequest, UpdateMetadataResponse};
pub use write_txn_markers::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};

/// The table of APIs, given to the macro named: the number of the API, its name, the module, the request and the response.
macro_rules! for_each_api {
    ($callback:ident) => {
        $callback! {
            0 Produce produce ProduceRequest<'_> => ProduceResponse<'b>;
            1 Fetch fetch FetchRequest<'_> => FetchResponse<'b>;
            2 ListOffsets list_offsets ListOffsetsRequest<'_> => ListOffsetsResponse<'b>;
            3 Metadata metadata MetadataRequest<'_> => MetadataResponse<'b>;
            4 LeaderAndIsr leader_and_isr LeaderAndIsrRequest<'_> => LeaderAndIsrResponse<'b>;
            5 StopReplica stop_replica StopReplicaRequest<'_> => StopReplicaResponse<'b>;
            6 UpdateMetadata update_metadata UpdateMetadataRequest<'_> => UpdateMetadataResponse;
            7 ControlledShutdown controlled_shutdown ControlledShutdownRequest => ControlledShutdownResponse<'b>;
            8 OffsetCommit offset_commit OffsetCommitRequest<'_> => OffsetCommitResponse<'b>;
            9 OffsetFetch offset_fetch OffsetFetchRequest<'_> => OffsetFetchResponse<'b>;
            10 FindCoordinator find_coordinator FindCoordinatorRequest<'_> => FindCoordinatorResponse<'b>;
            11 JoinGroup join_group JoinGroupRequest<'_> => JoinGroupResponse<'b>;
            12 Heartbeat heartbeat HeartbeatRequest<'_> => HeartbeatResponse;
            13 LeaveGroup leave_group LeaveGroupRequest<'_> => LeaveGroupResponse<'b>;
            14 SyncGroup sync_group SyncGroupRequest<'_> => SyncGroupResponse<'b>;
            15 DescribeGroups describe_groups DescribeGroupsRequest<'_> => DescribeGroupsResponse<'b>;
            16 ListGroups list_groups ListGroupsRequest<'_> => ListGroupsResponse<'b>;
            17 SaslHandshake sasl_handshake SaslHandshakeRequest<'_> => SaslHandshakeResponse<'b>;
            18 ApiVersions api_versions ApiVersionsRequest<'_> => ApiVersionsResponse<'b>;
            19 CreateTopics create_topics CreateTopicsRequest<'_> => CreateTopicsResponse<'b>;
            20 DeleteTopics delete_topics DeleteTopicsRequest<'_> => DeleteTopicsResponse<'b>;
            21 DeleteRecords delete_records DeleteRecordsRequest<'_> => DeleteRecordsResponse<'b>;
            22 InitProducerId init_producer_id InitProducerIdRequest<'_> => InitProducerIdResponse;
            23 OffsetForLeaderEpoch offset_for_leader_epoch OffsetForLeaderEpochRequest<'_> => OffsetForLeaderEpochResponse<'b>;
            24 AddPartitionsToTxn add_partitions_to_txn AddPartitionsToTxnRequest<'_> => AddPartitionsToTxnResponse<'b>;
            25 AddOffsetsToTxn add_offsets_to_txn AddOffsetsToTxnRequest<'_> => AddOffsetsToTxnResponse;
            26 EndTxn end_txn EndTxnRequest<'_> => EndTxnResponse;
            27 WriteTxnMarkers write_txn_markers WriteTxnMarkersRequest<'_> => WriteTxnMarkersResponse<'b>;
            28 TxnOffsetCommit txn_offset_commit TxnOffsetCommitRequest<'_> => TxnOffsetCommitResponse<'b>;
            29 DescribeAcls describe_acls DescribeAclsRequest<'_> => DescribeAclsResponse<'b>;
            30 CreateAcls create_acls CreateAclsRequest<'_> => CreateAclsResponse<'b>;
            31 DeleteAcls delete_acls DeleteAclsRequest<'_> => DeleteAclsResponse<'b>;
            32 DescribeConfigs describe_configs DescribeConfigsRequest<'_> => DescribeConfigsResponse<'b>;
            33 AlterConfigs alter_configs AlterConfigsRequest<'_> => AlterConfigsResponse<'b>;
            34 AlterReplicaLogDirs alter_replica_log_dirs AlterReplicaLogDirsRequest<'_> => AlterReplicaLogDirsResponse<'b>;
            35 DescribeLogDirs describe_log_dirs DescribeLogDirsRequest<'_> => DescribeLogDirsResponse<'b>;
            36 SaslAuthenticate sasl_authenticate SaslAuthenticateRequest<'_> => SaslAuthenticateResponse<'b>;
            37 CreatePartitions create_partitions CreatePartitionsRequest<'_> => CreatePartitionsResponse<'b>;
            38 CreateDelegationToken create_delegation_token CreateDelegationTokenRequest<'_> => CreateDelegationTokenResponse<'b>;
            39 RenewDelegationToken renew_delegation_token RenewDelegationTokenRequest<'_> => RenewDelegationTokenResponse;
            40 ExpireDelegationToken expire_delegation_token ExpireDelegationTokenRequest<'_> => ExpireDelegationTokenResponse;
            41 DescribeDelegationToken describe_delegation_token DescribeDelegationTokenRequest<'_> => DescribeDelegationTokenResponse<'b>;
            42 DeleteGroups delete_groups DeleteGroupsRequest<'_> => DeleteGroupsResponse<'b>;
            43 ElectLeaders elect_leaders ElectLeadersRequest<'_> => ElectLeadersResponse<'b>;
            44 IncrementalAlterConfigs incremental_alter_configs IncrementalAlterConfigsRequest<'_> => IncrementalAlterConfigsResponse<'b>;
            45 AlterPartitionReassignments alter_partition_reassignments AlterPartitionReassignmentsRequest<'_> => AlterPartitionReassignmentsResponse<'b>;
            46 ListPartitionReassignments list_partition_reassignments ListPartitionReassignmentsRequest<'_> => ListPartitionReassignmentsResponse<'b>;
            47 OffsetDelete offset_delete OffsetDeleteRequest<'_> => OffsetDeleteResponse<'b>;
            48 DescribeClientQuotas describe_client_quotas DescribeClientQuotasRequest<'_> => DescribeClientQuotasResponse<'b>;
            49 AlterClientQuotas alter_client_quotas AlterClientQuotasRequest<'_> => AlterClientQuotasResponse<'b>;
            50 DescribeUserScramCredentials describe_user_scram_credentials DescribeUserScramCredentialsRequest<'_> => DescribeUserScramCredentialsResponse<'b>;
            51 AlterUserScramCredentials alter_user_scram_credentials AlterUserScramCredentialsRequest<'_> => AlterUserScramCredentialsResponse<'b>;
            56 AlterPartition alter_partition AlterPartitionRequest<'_> => AlterPartitionResponse<'b>;
            57 UpdateFeatures update_features UpdateFeaturesRequest<'_> => UpdateFeaturesResponse<'b>;
            58 Envelope envelope EnvelopeRequest<'_> => EnvelopeResponse<'b>;
            60 DescribeCluster describe_cluster DescribeClusterRequest => DescribeClusterResponse<'b>;
            61 DescribeProducers describe_producers DescribeProducersRequest<'_> => DescribeProducersResponse<'b>;
            64 UnregisterBroker unregister_broker UnregisterBrokerRequest => UnregisterBrokerResponse<'b>;
            65 DescribeTransactions describe_transactions DescribeTransactionsRequest<'_> => DescribeTransactionsResponse<'b>;
            66 ListTransactions list_transactions ListTransactionsRequest<'_> => ListTransactionsResponse<'b>;
            67 AllocateProducerIds allocate_producer_ids AllocateProducerIdsRequest => AllocateProducerIdsResponse;
            68 ConsumerGroupHeartbeat consumer_group_heartbeat ConsumerGroupHeartbeatRequest<'_> => ConsumerGroupHeartbeatResponse<'b>;
            69 ConsumerGroupDescribe consumer_group_describe ConsumerGroupDescribeRequest<'_> => ConsumerGroupDescribeResponse<'b>;
            74 ListConfigResources list_config_resources ListConfigResourcesRequest => ListConfigResourcesResponse<'b>;
            75 DescribeTopicPartitions describe_topic_partitions DescribeTopicPartitionsRequest<'_> => DescribeTopicPartitionsResponse<'b>;
        }
    };
}
pub(crate) use for_each_api;

macro_rules! implement_request {
    ($($number:literal $api:ident $module:ident $request:ident $(<$a:lifetime>)? => $response:ident $(<$b:lifetime>)?;)*) => {$(
        impl crate::wire::Request for $request $(<$a>)? {
            const KEY: crate::ApiKey = crate::ApiKey::$api;
            type Response<'b> = $response $(<$b>)?;
        }
    )*};
}
for_each_api!(implement_request);
