//! The tables of `kafka-consumer-groups`: those of 0.11 with their fixed widths, those of 3.9 as wide as what is in them.

use std::fmt::Write;

/// A partition of a group: what it has read and who reads it. `None` is printed as a dash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) topic: Option<String>,
    pub(super) partition: Option<i32>,
    pub(super) current: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) consumer: Option<String>,
    pub(super) host: Option<String>,
    pub(super) client: Option<String>,
}

impl Row {
    fn lag(&self) -> Option<i64> {
        Some(self.end? - self.current?)
    }
}

fn dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// The widest of some texts, at least `least`.
fn width<'a>(texts: impl Iterator<Item = &'a str>, least: usize) -> usize {
    texts.map(|text| text.chars().count()).chain([least]).max().unwrap_or(least)
}

/// 0.11's table of offsets; groups in ZooKeeper have no host and no client id in it.
pub(super) fn old_offsets(rows: &[Row], with_host: bool) -> String {
    let mut text = "\n".to_owned();
    let mut line = |cells: [&str; 8]| {
        let [topic, partition, current, end, lag, consumer, host, client] = cells;
        // Writing to a string cannot fail.
        let _ = write!(text, "{topic:<30} {partition:<10} {current:<15} {end:<15} {lag:<10} {consumer:<50}");
        if with_host {
            let _ = write!(text, "{host:<30} {client}");
        }
        text.push('\n');
    };
    line([
        "TOPIC",
        "PARTITION",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]);
    for row in rows {
        let cells = cells(row);
        line(cells.each_ref().map(String::as_str));
    }
    text
}

/// Topic, partition, offsets, lag, consumer, host, client.
fn cells(row: &Row) -> [String; 8] {
    [
        dash(row.topic.as_ref()),
        dash(row.partition),
        dash(row.current),
        dash(row.end),
        dash(row.lag()),
        dash(row.consumer.as_ref()),
        dash(row.host.as_ref()),
        dash(row.client.as_ref()),
    ]
}

/// 3.9's table of offsets. As there, a line break stands before each line and none after the last.
pub(super) fn offsets(group: &str, rows: &[Row]) -> String {
    let widest = |pick: fn(&Row) -> Option<&str>| width(rows.iter().filter_map(pick), 15);
    let group_width = width(std::iter::once(group), 15);
    let topic_width = widest(|row| row.topic.as_deref());
    let consumer_width = widest(|row| row.consumer.as_deref());
    let host_width = widest(|row| row.host.as_deref());
    let mut text = String::new();
    let mut line = |group: &str, cells: [&str; 8]| {
        let [topic, partition, current, end, lag, consumer, host, client] = cells;
        let _ = write!(
            text,
            "\n{group:<group_width$} {topic:<topic_width$} {partition:<10} {current:<15} {end:<15} {lag:<15} {consumer:<consumer_width$} {host:<host_width$} {client}"
        );
    };
    let heads =
        ["TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID"];
    line("GROUP", heads);
    for row in rows {
        let cells = cells(row);
        line(group, cells.each_ref().map(String::as_str));
    }
    text
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) consumer: String,
    pub(super) instance: Option<String>,
    pub(super) host: String,
    pub(super) client: String,
    pub(super) partitions: usize,
    /// `topic(0,1), other(2)`.
    pub(super) assignment: String,
}

/// 3.9's table of members; the instance id has a column if any member has one.
pub(super) fn members(group: &str, members: &[Member], verbose: bool) -> String {
    let widest = |pick: fn(&Member) -> &str, least| width(members.iter().map(pick), least);
    let group_width = width(std::iter::once(group), 15);
    let consumer_width = widest(|member| &member.consumer, 15);
    let instance_width = widest(|member| member.instance.as_deref().unwrap_or(""), 17);
    let host_width = widest(|member| &member.host, 15);
    let client_width = widest(|member| &member.client, 15);
    let instances = members.iter().any(|member| member.instance.is_some());
    let mut text = "\n".to_owned();
    let mut line = |group: &str, consumer: &str, instance: &str, rest: [&str; 4]| {
        let [host, client, partitions, assignment] = rest;
        let _ = write!(text, "{group:<group_width$} {consumer:<consumer_width$} ");
        if instances {
            let _ = write!(text, "{instance:<instance_width$} ");
        }
        let _ = write!(text, "{host:<host_width$} {client:<client_width$} {partitions:<15} ");
        text.push_str(if verbose { assignment } else { "" });
        text.push('\n');
    };
    line("GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", ["HOST", "CLIENT-ID", "#PARTITIONS", "ASSIGNMENT"]);
    for member in members {
        let count = member.partitions.to_string();
        let assignment = if member.assignment.is_empty() { "-" } else { &member.assignment };
        let rest = [member.host.as_str(), &member.client, &count, assignment];
        line(group, &member.consumer, member.instance.as_deref().unwrap_or(""), rest);
    }
    text
}

/// 3.9's table of a group's state. `coordinator` is `host:port  (id)`.
pub(super) fn state(group: &str, coordinator: &str, assignor: &str, state: &str, members: usize) -> String {
    // The first column is as wide as the coordinator needs it, in Kafka too.
    let width = width(std::iter::once(coordinator), 25);
    let line = |cells: [&str; 5]| {
        let [group, coordinator, assignor, state, members] = cells;
        format!("\n{group:<width$} {coordinator:<25} {assignor:<20} {state:<15} {members}")
    };
    let heads = line(["GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"]);
    heads + &line([group, coordinator, assignor, state, &members.to_string()]) + "\n"
}

/// A group in a list.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) state: &'a str,
}

/// 3.9's list with types, states or both.
pub(super) fn listing(groups: &[Listed<'_>], kinds: bool, states: bool) -> String {
    let group_width = width(groups.iter().map(|group| group.group), 15) + 10;
    let mut text = String::new();
    let heads = Listed { group: "GROUP", kind: "TYPE", state: "STATE" };
    for row in std::iter::once(&heads).chain(groups) {
        let _ = write!(text, "{:<group_width$}", row.group);
        if kinds {
            let _ = write!(text, " {:<20}", row.kind);
        }
        if states {
            let _ = write!(text, " {:<20}", row.state);
        }
        text.push('\n');
    }
    text
}

/// The offsets that were, or would be, set: group, topic, partition, offset. 0.11's table has no groups.
pub(super) fn resets(rows: &[(&str, &str, i32, i64)], with_group: bool) -> String {
    let mut text = "\n".to_owned();
    let mut line = |group: &str, topic: &str, partition: &str, offset: &str| {
        if with_group {
            let _ = write!(text, "{group:<30} ");
        }
        let _ = writeln!(text, "{topic:<30} {partition:<10} {offset:<15}");
    };
    line("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
    for (group, topic, partition, offset) in rows {
        line(group, topic, &partition.to_string(), &offset.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let member = "golden-live-1-01234567-89ab-cdef-0123-456789abcdef";
        Row {
            topic: Some("golden".into()),
            partition: Some(0),
            current: Some(2),
            end: Some(5),
            consumer: Some(member.into()),
            host: Some("/127.0.0.1".into()),
            client: Some("golden-live-1".into()),
        }
    }

    #[test]
    fn offsets_look_as_in_0_11() {
        let idle = Row { consumer: None, host: None, client: None, ..row() };
        assert_eq!(
            old_offsets(&[idle.clone(), row()], true),
            "\nTOPIC                          PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG        CONSUMER-ID                                       HOST                           CLIENT-ID\n\
             golden                         0          2               5               3          -                                                 -                              -\n\
             golden                         0          2               5               3          golden-live-1-01234567-89ab-cdef-0123-456789abcdef/127.0.0.1                     golden-live-1\n"
        );
        assert!(
            old_offsets(&[idle], false)
                .ends_with("3          -                                                 \n")
        );
    }

    #[test]
    fn offsets_look_as_in_3_9() {
        let missing = Row { current: None, ..row() };
        let text = offsets("g", &[missing]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "");
        assert!(lines[1].starts_with("GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID "));
        assert!(lines[2].starts_with("g               golden          0          -               5               -               golden-live-1-"));
    }

    #[test]
    fn members_states_and_lists_look_as_in_3_9() {
        let member = Member {
            consumer: "m-1".into(),
            instance: None,
            host: "/127.0.0.1".into(),
            client: "c".into(),
            partitions: 2,
            assignment: "t(0,1)".into(),
        };
        assert_eq!(
            members("g", &[member], true),
            "\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     ASSIGNMENT\n\
             g               m-1             /127.0.0.1      c               2               t(0,1)\n"
        );
        assert_eq!(
            state("g", "127.0.0.1:9092  (0)", "range", "Stable", 1),
            "\nGROUP                     COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE           #MEMBERS\
             \ng                         127.0.0.1:9092  (0)       range                Stable          1\n"
        );
        let listed = Listed { group: "group", kind: "Classic", state: "Empty" };
        let text = listing(&[listed], false, true);
        assert_eq!(
            text,
            "GROUP                     STATE               \ngroup                     Empty               \n"
        );
    }

    #[test]
    fn resets_have_groups_since_2_x() {
        let rows = [("g", "golden", 2, 0)];
        assert_eq!(
            resets(&rows, false),
            "\nTOPIC                          PARTITION  NEW-OFFSET     \ngolden                         2          0              \n"
        );
        assert!(resets(&rows, true).starts_with("\nGROUP                          TOPIC  "));
    }
}
