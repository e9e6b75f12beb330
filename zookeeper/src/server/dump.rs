//! The word `dump`: sessions and connections by the time at which they expire, and who has ephemeral nodes, laid out as Apache does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::shared::State;
use crate::engine::Now;

/// Apache looks at its connections so often, in milliseconds.
const CONNECTIONS_TICK: i64 = 10_000;

pub(super) fn dump(state: &State, now: Now) -> String {
    let engine = &state.engine;
    let mut text = "SessionTracker dump:\n".to_owned();
    let sessions = engine.sessions.deadlines();
    let sessions =
        sessions.map(|(deadline, ids)| (deadline, ids.iter().map(|id| format!("{id:#x}")).collect()));
    push_sets(&mut text, "Session", &sessions.collect(), now);
    let owners: Vec<_> = engine.tree.ephemerals().collect();
    let _ = writeln!(text, "ephemeral nodes dump:\nSessions with Ephemerals ({}):", owners.len());
    for (session, paths) in owners {
        let _ = writeln!(text, "{session:#x}:");
        for path in paths {
            let _ = writeln!(text, "\t{path}");
        }
    }
    text.push_str("Connections dump:\n");
    let mut connections: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for report in engine.connections() {
        let Some((peer, _)) = state.outboxes.get(&report.id) else { continue };
        // One that has no session yet may be silent until the next look.
        let heard = if report.session == 0 { now.steady } else { report.last_response };
        let expires =
            (heard.saturating_add(i64::from(report.timeout)) / CONNECTIONS_TICK + 1) * CONNECTIONS_TICK;
        let line = format!("ip: /{peer} sessionId: {:#x}", report.session);
        connections.entry(expires).or_default().push(line);
    }
    push_sets(&mut text, "Connections", &connections, now);
    text
}

/// What expires when, by the steady clock; told by the wall clock.
fn push_sets(text: &mut String, what: &str, sets: &BTreeMap<i64, Vec<String>>, now: Now) {
    let all: usize = sets.values().map(Vec::len).sum();
    let _ = writeln!(text, "{what} Sets ({})/({all}):", sets.len());
    for (deadline, elements) in sets {
        let at = now.wall.saturating_add(deadline - now.steady);
        let _ = writeln!(text, "{} expire at {}:", elements.len(), date(at));
        for element in elements {
            let _ = writeln!(text, "\t{element}");
        }
    }
}

/// As Java writes a date.
fn date(wall: i64) -> String {
    let at = Timestamp::from_millisecond(wall).unwrap_or_default().to_zoned_datetime(TimeZone::system());
    at.strftime("%a %b %d %H:%M:%S %Z %Y").to_string()
}
