//! The state machine by table: an event, the driver after it, and the action of the queue.

use super::*;
use Action::{Interrupt, JoinHub, Nothing, Rest, StartAnywhere, StartPoll, StartThread};
use Driver::{Hub, None as NoDriver, Polling, Running, Starting};
use Executor::{Pool, Thread};

const THREAD: Executors = Executors::THREAD;
const POOL: Executors = Executors::POOL;
const LOOP: Executors = Executors { pool: false, event_loop: true };

/// An event of the state.
#[derive(Clone, Copy, Debug)]
enum Event {
    Join(WaiterId, Request, Executors),
    /// As `Join`, where the event loop expects a short wait.
    JoinQuick(WaiterId, Executors),
    Leave(WaiterId),
    Placed(Executor),
    /// A driver of this generation, on this executor, asks for its next step.
    Next(u64, Executor),
    /// As `Next`, after the driver delivered to an event loop whose waits are short.
    NextQuick(u64, Executor),
    /// As `Next`, when the program is about to exit.
    NextAtExit(u64, Executor),
    Granted(Request),
    AllowPool(bool),
    Lost(u64),
    Block,
    LeavePool,
    LeavePoolQueue,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Does(Action),
    Takes(Request),
    Ends(Action),
    Polls(u64),
    Grants(Option<WaiterId>),
}

fn feed(state: &mut State<WaiterId>, event: Event) -> Outcome {
    let waiter = |id, request, executors| Waiter { request, executors, party: id };
    let mut next = |generation, executor, pool_is_open, may_poll| match state.next(
        generation,
        executor,
        Circumstances { pool_is_open, may_poll },
    ) {
        Next::Take(request) => Outcome::Takes(request),
        Next::End(action) => Outcome::Ends(action),
        Next::Poll(generation) => Outcome::Polls(generation),
    };
    match event {
        Event::Next(generation, executor) => next(generation, executor, true, false),
        Event::NextQuick(generation, executor) => next(generation, executor, true, true),
        Event::NextAtExit(generation, executor) => next(generation, executor, false, false),
        Event::Join(id, request, executors) => {
            Outcome::Does(state.join(id, waiter(id, request, executors), false))
        }
        Event::JoinQuick(id, executors) => {
            Outcome::Does(state.join(id, waiter(id, Request::Permit, executors), true))
        }
        Event::Leave(id) => Outcome::Does(state.leave(id).1),
        Event::Placed(executor) => {
            state.placed(executor);
            Outcome::Does(Nothing)
        }
        Event::Granted(request) => Outcome::Grants(state.grant(request).map(|(id, _)| id)),
        Event::AllowPool(allowed) => Outcome::Does(state.allow_pool(|_| true, allowed)),
        Event::Lost(generation) => Outcome::Does(state.driver_lost(generation)),
        Event::Block => Outcome::Does(state.replace_poll()),
        Event::LeavePool => Outcome::Does(state.leave_pool()),
        Event::LeavePoolQueue => Outcome::Does(state.leave_pool_queue()),
    }
}

/// Feeds the events one by one, and compares the outcome and the driver after each.
fn play(steps: &[(Event, Outcome, Driver)]) {
    play_in(State::new(false), steps);
}

/// As [`play`], for a queue that the hub serves.
fn play_watched(steps: &[(Event, Outcome, Driver)]) {
    play_in(State::new(true), steps);
}

fn play_in(mut state: State<WaiterId>, steps: &[(Event, Outcome, Driver)]) {
    for (at, (event, outcome, driver)) in steps.iter().enumerate() {
        assert_eq!(feed(&mut state, *event), *outcome, "step {at}: {event:?}");
        assert_eq!(state.driver(), *driver, "the driver after step {at}: {event:?}");
    }
}

use Event::{
    AllowPool, Block, Granted, Join, JoinQuick, Leave, LeavePool, LeavePoolQueue, Lost, Next as Asks,
    NextAtExit, NextQuick, Placed,
};
use Outcome::{Does, Ends, Grants, Polls, Takes};
use Request::{Exclusive, Permit, Shared, Shrink};

#[test]
fn one_wait_starts_a_driver_that_takes_and_ends() {
    play(&[
        (Join(1, Permit, THREAD), Does(StartAnywhere(1)), Starting(Thread)),
        (Asks(1, Thread), Takes(Permit), Running(Thread)),
        (Granted(Permit), Grants(Some(1)), Running(Thread)),
        (Asks(1, Thread), Ends(Rest), NoDriver),
    ]);
}

#[test]
fn waiters_are_granted_in_the_order_in_which_they_joined() {
    play(&[
        (Join(1, Permit, THREAD), Does(StartAnywhere(1)), Starting(Thread)),
        (Join(2, Permit, THREAD), Does(Nothing), Starting(Thread)),
        (Asks(1, Thread), Takes(Permit), Running(Thread)),
        (Granted(Permit), Grants(Some(1)), Running(Thread)),
        (Asks(1, Thread), Takes(Permit), Running(Thread)),
        (Granted(Permit), Grants(Some(2)), Running(Thread)),
    ]);
}

#[test]
fn a_shrinking_is_granted_its_own_step_only() {
    play(&[
        (Join(1, Permit, THREAD), Does(StartAnywhere(1)), Starting(Thread)),
        (Join(2, Shrink(3), THREAD), Does(Nothing), Starting(Thread)),
        (Asks(1, Thread), Takes(Permit), Running(Thread)),
        (Leave(1), Does(Interrupt), Running(Thread)),
        (Granted(Permit), Grants(None), Running(Thread)),
        (Asks(1, Thread), Takes(Shrink(3)), Running(Thread)),
        (Granted(Shrink(4)), Grants(None), Running(Thread)),
        (Granted(Shrink(3)), Grants(Some(2)), Running(Thread)),
        (Asks(1, Thread), Ends(Rest), NoDriver),
    ]);
}

#[test]
fn the_last_waiter_that_leaves_interrupts_the_driver() {
    play(&[
        (Join(1, Permit, THREAD), Does(StartAnywhere(1)), Starting(Thread)),
        (Asks(1, Thread), Takes(Permit), Running(Thread)),
        (Join(2, Permit, THREAD), Does(Nothing), Running(Thread)),
        (Leave(1), Does(Nothing), Running(Thread)),
        (Leave(2), Does(Interrupt), Running(Thread)),
        (Leave(2), Does(Nothing), Running(Thread)),
        (Granted(Permit), Grants(None), Running(Thread)),
        (Asks(1, Thread), Ends(Rest), NoDriver),
    ]);
}

#[test]
fn a_driver_that_has_not_begun_is_not_interrupted() {
    play(&[
        (Join(1, Permit, THREAD), Does(StartAnywhere(1)), Starting(Thread)),
        (Leave(1), Does(Nothing), Starting(Thread)),
        (Asks(1, Thread), Ends(Rest), NoDriver),
    ]);
}

#[test]
fn a_driver_is_interrupted_when_the_next_waiter_asks_for_something_else() {
    play(&[
        (Join(1, Exclusive, THREAD), Does(StartAnywhere(1)), Starting(Thread)),
        (Asks(1, Thread), Takes(Exclusive), Running(Thread)),
        (Join(2, Shared, THREAD), Does(Nothing), Running(Thread)),
        (Leave(1), Does(Interrupt), Running(Thread)),
        (Granted(Exclusive), Grants(None), Running(Thread)),
        (Asks(1, Thread), Takes(Shared), Running(Thread)),
        (Granted(Shared), Grants(Some(2)), Running(Thread)),
    ]);
}

#[test]
fn a_pool_thread_drives_only_for_waiters_that_allow_it() {
    play(&[
        (Join(1, Permit, POOL), Does(StartAnywhere(1)), Starting(Thread)),
        (Placed(Pool), Does(Nothing), Starting(Pool)),
        (Asks(1, Pool), Takes(Permit), Running(Pool)),
        (AllowPool(false), Does(Interrupt), Running(Pool)),
        (Asks(1, Pool), Ends(StartThread(2)), Starting(Thread)),
        (Asks(1, Pool), Ends(Nothing), Starting(Thread)),
        (Asks(2, Thread), Takes(Permit), Running(Thread)),
    ]);
}

#[test]
fn a_waiter_that_allows_no_pool_does_not_wait_for_a_busy_pool() {
    play(&[
        (Join(1, Permit, POOL), Does(StartAnywhere(1)), Starting(Thread)),
        (Placed(Pool), Does(Nothing), Starting(Pool)),
        (Leave(1), Does(Nothing), Starting(Pool)),
        (Join(2, Permit, THREAD), Does(StartThread(2)), Starting(Thread)),
        (Lost(1), Does(Nothing), Starting(Thread)),
    ]);
}

#[test]
fn drivers_leave_the_pool_at_exit() {
    play(&[
        (Join(1, Permit, POOL), Does(StartAnywhere(1)), Starting(Thread)),
        (Placed(Pool), Does(Nothing), Starting(Pool)),
        (Asks(1, Pool), Takes(Permit), Running(Pool)),
        (LeavePool, Does(Interrupt), Running(Pool)),
        (NextAtExit(1, Pool), Ends(StartThread(2)), Starting(Thread)),
        (LeavePool, Does(Nothing), Starting(Thread)),
    ]);
}

#[test]
fn a_driver_that_queues_for_the_pool_moves_to_a_thread() {
    for leaves in [LeavePool, LeavePoolQueue] {
        play(&[
            (Join(1, Permit, POOL), Does(StartAnywhere(1)), Starting(Thread)),
            (Placed(Pool), Does(Nothing), Starting(Pool)),
            (leaves, Does(StartThread(2)), Starting(Thread)),
            (Asks(2, Thread), Takes(Permit), Running(Thread)),
            (leaves, Does(Nothing), Running(Thread)),
        ]);
    }
}

#[test]
fn a_lost_driver_is_replaced_while_waiters_remain() {
    play(&[
        (Join(1, Permit, THREAD), Does(StartAnywhere(1)), Starting(Thread)),
        (Asks(1, Thread), Takes(Permit), Running(Thread)),
        (Lost(1), Does(StartThread(2)), Starting(Thread)),
        (Lost(1), Does(Nothing), Starting(Thread)),
        (Leave(1), Does(Nothing), Starting(Thread)),
        (Lost(2), Does(Rest), NoDriver),
        (Lost(2), Does(Nothing), NoDriver),
    ]);
}

#[test]
fn an_event_loop_polls_where_waits_are_short() {
    play(&[
        (JoinQuick(1, LOOP), Does(StartPoll(1)), Polling),
        (JoinQuick(2, LOOP), Does(Nothing), Polling),
        (Lost(1), Does(StartThread(2)), Starting(Thread)),
        (Asks(2, Thread), Takes(Permit), Running(Thread)),
        (Granted(Permit), Grants(Some(1)), Running(Thread)),
        (NextQuick(2, Thread), Polls(3), Polling),
        (Leave(2), Does(Nothing), Polling),
    ]);
}

#[test]
fn an_event_loop_that_expects_a_long_wait_does_not_poll() {
    play(&[(Join(1, Permit, LOOP), Does(StartAnywhere(1)), Starting(Thread))]);
    play(&[(JoinQuick(1, THREAD), Does(StartAnywhere(1)), Starting(Thread))]);
}

#[test]
fn a_poll_is_replaced_when_another_party_joins_or_the_thread_blocks() {
    play(&[
        (JoinQuick(1, LOOP), Does(StartPoll(1)), Polling),
        (Join(2, Permit, THREAD), Does(StartThread(2)), Starting(Thread)),
        (Block, Does(Nothing), Starting(Thread)),
    ]);
    play(&[
        (JoinQuick(1, LOOP), Does(StartPoll(1)), Polling),
        (Block, Does(StartThread(2)), Starting(Thread)),
    ]);
}

#[test]
fn a_driver_leaves_its_place_only_to_an_event_loop_that_may_poll_for_all() {
    play(&[
        (Join(1, Permit, LOOP), Does(StartAnywhere(1)), Starting(Thread)),
        (Join(2, Permit, THREAD), Does(Nothing), Starting(Thread)),
        (NextQuick(1, Thread), Takes(Permit), Running(Thread)),
    ]);
}

#[test]
fn the_hub_serves_a_watched_queue_until_its_last_waiter_is_gone() {
    play_watched(&[
        (Join(1, Permit, POOL), Does(JoinHub(1)), Hub),
        (Join(2, Permit, LOOP), Does(Nothing), Hub),
        (Granted(Permit), Grants(Some(1)), Hub),
        (AllowPool(false), Does(Nothing), Hub),
        (LeavePool, Does(Nothing), Hub),
        (LeavePoolQueue, Does(Nothing), Hub),
        (Block, Does(Nothing), Hub),
        (Leave(2), Does(Rest), NoDriver),
        (Join(3, Shrink(1), THREAD), Does(JoinHub(2)), Hub),
        (Lost(1), Does(Nothing), Hub),
        (Lost(2), Does(JoinHub(3)), Hub),
    ]);
}

#[test]
fn a_poll_of_a_watched_queue_is_replaced_by_the_hub() {
    for (event, outcome) in
        [(Join(2, Permit, THREAD), Does(JoinHub(2))), (Lost(1), Does(JoinHub(2))), (Block, Does(JoinHub(2)))]
    {
        play_watched(&[(JoinQuick(1, LOOP), Does(StartPoll(1)), Polling), (event, outcome, Hub)]);
    }
}

#[test]
fn a_failure_removes_every_waiter() {
    let mut state = State::new(false);
    for id in 1..4 {
        let _ = feed(&mut state, Join(id, Permit, POOL));
    }
    assert_eq!(state.fail().into_keys().collect::<Vec<_>>(), [1, 2, 3]);
    assert!(state.is_empty() && !state.wants_pool());
}
