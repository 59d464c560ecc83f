//! The nodes of a cluster that hold keys, each asked by itself.

use redis::aio::ConnectionLike;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, FromRedisValue, Pipeline, RedisFuture, RedisResult, Value};

/// One node of a cluster.
pub(super) struct Node {
    cluster: ClusterConnection,
    host: String,
    port: u16,
}

impl Node {
    /// The primaries, which hold every key once.
    pub(super) async fn primaries(cluster: &ClusterConnection) -> RedisResult<Vec<Self>> {
        let anyone = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
        let mut slots = redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        let ranges = Vec::<Vec<Value>>::from_redis_value(cluster.clone().route_command(slots, anyone).await?)?;
        let mut nodes: Vec<Self> = Vec::new();
        for primary in ranges.into_iter().filter_map(|range| range.into_iter().nth(2)) {
            let mut parts = Vec::<Value>::from_redis_value(primary)?.into_iter();
            let (Some(host), Some(port)) = (parts.next(), parts.next()) else { continue };
            let (host, port) = (String::from_redis_value(host)?, u16::from_redis_value(port)?);
            if !nodes.iter().any(|known| known.host == host && known.port == port) {
                nodes.push(Self { cluster: cluster.clone(), host, port });
            }
        }
        Ok(nodes)
    }

    fn route(&self) -> SingleNodeRoutingInfo {
        SingleNodeRoutingInfo::ByAddress { host: self.host.clone(), port: self.port }
    }
}

impl ConnectionLike for Node {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let route = RoutingInfo::SingleNode(self.route());
        Box::pin(self.cluster.route_command(command.clone(), route))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let route = self.route();
        Box::pin(self.cluster.route_pipeline(pipeline.clone(), offset, count, route))
    }

    fn get_db(&self) -> i64 {
        0
    }
}
