//! The table by examples, and under random events against a plain account.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn process(number: u64) -> ProcessId {
    ProcessId(number << 32 | 1)
}

fn folder() -> &'static Path {
    Path::new("/folder")
}

fn due(table: &mut Table<u32>) -> Vec<u32> {
    table.take_due(usize::MAX).into_iter().map(|due| due.queue).collect()
}

/// A table with so many queues, whose keys are 0, 1 and so on; the inbox is there.
fn table(queues: u32) -> (Table<u32>, Vec<EntryId>) {
    let mut table = Table::new();
    let ids = (0..queues).map(|number| table.enter(number, 1, u64::from(number), folder())).collect();
    table.set_inbox(folder(), true);
    assert_eq!(due(&mut table).len(), queues as usize);
    (table, ids)
}

#[test]
fn a_hint_makes_only_the_queues_with_its_key_due_and_only_once() {
    let (mut table, ids) = table(3);
    let other = table.enter(7, 1, 1, folder());
    table.hint(1);
    table.hint(1);
    table.hint(99);
    assert_eq!(due(&mut table), [1, 7]);
    assert_eq!(table.leave(ids[1]), Some(1));
    table.hint(1);
    assert_eq!(due(&mut table), [7]);
    assert_eq!((table.leave(other), table.leave(other)), (Some(7), None));
    table.hint(1);
    assert!(!table.has_work());
}

#[test]
fn a_death_is_told_to_its_users_only() {
    let now = Instant::now();
    let (mut table, ids) = table(2);
    assert!(!table.looked_at(ids[0], &[process(1), process(2)], None, now), "nobody watches them yet");
    assert_eq!(table.take_unseen(), [process(1), process(2)]);
    table.see(process(1), Sight::Watched);
    table.see(process(2), Sight::Watched);
    assert!(table.looked_at(ids[0], &[process(2), process(1)], None, now));
    table.see(process(2), Sight::Dead);
    let told = table.take_due(9);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].queue, &told[0].dead), (0, &vec![process(2)]));
    assert!(!table.has_work());
}

#[test]
fn a_death_that_was_not_noted_is_told_again_after_a_moment() {
    let now = Instant::now();
    let (mut table, ids) = table(1);
    table.looked_at(ids[0], &[process(1)], None, now);
    table.take_unseen();
    table.see(process(1), Sight::Dead);
    assert_eq!(table.take_due(9)[0].dead, [process(1)]);
    assert!(table.looked_at(ids[0], &[process(1)], None, now));
    assert_eq!(table.first_timer(), Some(now + TELL_AGAIN));
    table.pass(now + TELL_AGAIN);
    assert_eq!(table.take_due(9)[0].dead, [process(1)]);
    table.looked_at(ids[0], &[], None, now);
    assert!(!table.knows(process(1)) && table.first_timer().is_none());
}

#[test]
fn an_unseen_process_that_nobody_needs_is_not_watched() {
    let now = Instant::now();
    let (mut table, ids) = table(1);
    table.looked_at(ids[0], &[process(1)], None, now);
    table.leave(ids[0]);
    assert!(table.take_unseen().is_empty() && !table.knows(process(1)) && table.is_empty());
}

#[test]
fn a_watch_without_users_is_kept_until_it_is_swept() {
    let now = Instant::now();
    let (mut table, ids) = table(2);
    table.looked_at(ids[0], &[process(1), process(2)], None, now);
    table.take_unseen();
    table.see(process(1), Sight::Watched);
    table.see(process(2), Sight::Watched);
    table.leave(ids[0]);
    assert!(table.looked_at(ids[1], &[process(1)], None, now), "the watch is there already");
    assert!(table.sweep().is_empty(), "both were used a moment ago");
    assert_eq!(table.sweep(), BTreeSet::from([process(2)]));
    assert!(table.knows(process(1)) && !table.knows(process(2)));
}

#[test]
fn what_cannot_be_seen_is_looked_at_again() {
    let now = Instant::now();
    let mut table = Table::new();
    let id = table.enter(0, 1, 0, folder());
    assert_eq!(table.untried_folders(), [folder()]);
    table.set_inbox(folder(), false);
    assert!(table.is_blind() && !table.has_work());
    assert!(!table.looked_at(id, &[], None, now), "a hub that sleeps has to wake up, and to look again soon");
    table.recheck();
    assert_eq!((due(&mut table), table.untried_folders()), (vec![0], vec![folder().to_owned()]));
    table.set_inbox(folder(), true);
    assert_eq!(due(&mut table), [0]);
    assert!(!table.is_blind());
    table.looked_at(id, &[process(1)], None, now);
    table.take_unseen();
    table.see(process(1), Sight::Blind);
    assert!(!table.looked_at(id, &[process(1)], None, now));
    assert!(table.is_blind() && !table.has_work());
    table.recheck();
    assert_eq!(table.take_unseen(), [process(1)]);
    table.see(process(1), Sight::Watched);
    assert!(!table.is_blind());
}

/// An event, with small numbers for queues, keys and processes.
#[derive(Clone, Debug)]
enum Event {
    Enter(u64),
    Leave(usize),
    LookedAt(usize, Vec<u64>),
    Hint(u64),
    See(u64, Sight),
    TakeDue,
    Sweep,
    Recheck,
    Forget,
}

fn event() -> impl Strategy<Value = Event> {
    let sight = prop_oneof![Just(Sight::Watched), Just(Sight::Blind), Just(Sight::Dead)];
    prop_oneof![
        (0..3_u64).prop_map(Event::Enter),
        (0..6_usize).prop_map(Event::Leave),
        (0..6_usize, prop::collection::vec(0..4_u64, 0..4))
            .prop_map(|(at, peers)| Event::LookedAt(at, peers)),
        (0..3_u64).prop_map(Event::Hint),
        (0..4_u64, sight).prop_map(|(peer, sight)| Event::See(peer, sight)),
        Just(Event::TakeDue),
        Just(Event::Sweep),
        Just(Event::Recheck),
        Just(Event::Forget),
    ]
}

proptest! {
    #[test]
    fn no_hint_and_no_death_is_lost_in_any_order_of_events(events in prop::collection::vec(event(), 0..80)) {
        let now = Instant::now();
        let mut table: Table<u64> = Table::new();
        // What each entry must be told at its next look: whether it is due, and which deaths.
        let mut wanted: BTreeMap<EntryId, (u64, bool, BTreeSet<ProcessId>, BTreeSet<ProcessId>)> = BTreeMap::new();
        for event in events {
            let at = |place: usize| wanted.keys().nth(place).copied();
            match event {
                Event::Enter(key) => {
                    let id = table.enter(key, 1, key, folder());
                    table.set_inbox(folder(), true);
                    for (_, due, ..) in wanted.values_mut() {
                        *due = true;
                    }
                    wanted.insert(id, (key, true, BTreeSet::new(), BTreeSet::new()));
                }
                Event::Leave(place) => {
                    let Some(id) = at(place) else { continue };
                    let (key, ..) = wanted.remove(&id).unwrap();
                    prop_assert_eq!(table.leave(id), Some(key));
                }
                Event::LookedAt(place, peers) => {
                    let Some(id) = at(place) else { continue };
                    let peers: Vec<_> = peers.into_iter().map(process).collect();
                    table.looked_at(id, &peers, None, now);
                    let entry = wanted.get_mut(&id).unwrap();
                    entry.2 = peers.into_iter().collect();
                }
                Event::Hint(key) => {
                    table.hint(key);
                    for entry in wanted.values_mut().filter(|entry| entry.0 == key) {
                        entry.1 = true;
                    }
                }
                Event::See(peer, sight) => {
                    let peer = process(peer);
                    // A dead process stays dead.
                    if table.sight(peer) == Some(Sight::Dead) {
                        continue;
                    }
                    table.see(peer, sight);
                    if sight == Sight::Dead {
                        for entry in wanted.values_mut().filter(|entry| entry.2.contains(&peer)) {
                            entry.1 = true;
                            entry.3.insert(peer);
                        }
                    }
                }
                Event::TakeDue => {
                    table.pass(now + TELL_AGAIN);
                    let taken: BTreeMap<_, _> =
                        table.take_due(usize::MAX).into_iter().map(|due| (due.id, due.dead)).collect();
                    for (id, entry) in &mut wanted {
                        let dead: BTreeSet<_> = taken.get(id).into_iter().flatten().copied().collect();
                        prop_assert!(!entry.1 || taken.contains_key(id), "a queue that is due is not looked at");
                        prop_assert!(entry.3.is_subset(&dead), "a death is lost");
                        entry.1 = false;
                        entry.3.clear();
                    }
                    prop_assert!(taken.keys().all(|id| wanted.contains_key(id)));
                }
                Event::Sweep => {
                    let swept = table.sweep();
                    prop_assert!(wanted.values().all(|entry| entry.2.is_disjoint(&swept)), "a peer is in use");
                }
                Event::Recheck => table.recheck(),
                Event::Forget => {
                    table.forget();
                    table.set_inbox(folder(), true);
                    for entry in wanted.values_mut() {
                        entry.1 = true;
                    }
                }
            }
            // Every peer of every entry is known, and the unseen ones are about to be watched.
            for peer in wanted.values().flat_map(|entry| entry.2.iter()) {
                prop_assert!(table.knows(*peer));
            }
        }
        let unseen = table.take_unseen();
        for peer in wanted.values().flat_map(|entry| entry.2.iter()) {
            prop_assert!(table.sight(*peer) != Some(Sight::Unseen) || unseen.contains(peer));
        }
        for id in wanted.keys().copied().collect::<Vec<_>>() {
            table.leave(id);
        }
        table.forget_unused();
        prop_assert!(table.is_empty() && table.peers.is_empty() && table.keys.is_empty());
        prop_assert!(table.timers.is_empty() && table.blind == 0);
    }
}
