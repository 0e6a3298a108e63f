//! Semaphores of both backends: creation, opening, counting, races and removal.

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{LIMIT, Named, backends, by_three_threads, creation, units};
use os_ipc::{Backend, Code, OsCode, Owner, Semaphore, SemaphoreId, list_semaphores};

#[test]
fn create_fails_if_the_semaphore_exists() {
    for backend in backends() {
        let named = Named::new(backend);
        let made = named.create(3);
        assert!(made.created() && made.verified());
        assert_eq!((made.name(), made.backend()), (named.name.as_str(), backend));
        let error = Semaphore::create(&named.id(), creation(1)).err().unwrap();
        assert_eq!(error.errno(), Some(OsCode::EEXIST));
        assert_eq!(units(&made), 3);
    }
}

#[test]
fn open_fails_if_the_semaphore_is_missing() {
    for backend in backends() {
        let named = Named::new(backend);
        let error = Semaphore::open(&named.id(), Owner::Default).err().unwrap();
        assert_eq!(error.errno(), Some(OsCode::ENOENT));
        let made = named.create(1);
        let found = named.open();
        assert!(!found.created());
        made.post(2).unwrap();
        assert_eq!(units(&found), 3);
    }
}

#[test]
fn initial_counts_only_at_the_creation() {
    for backend in backends() {
        let named = Named::new(backend);
        let made = named.open_or_create(2);
        assert!(made.created());
        let found = named.open_or_create(9);
        assert!(!found.created());
        assert_eq!(units(&found), 2);
    }
}

#[test]
fn exactly_one_of_many_threads_creates_the_semaphore() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 100;
    for backend in backends() {
        for _ in 0..ROUNDS {
            let named = Named::new(backend);
            let start = Barrier::new(THREADS);
            // They stay open: an object of Windows ends with its last handle.
            let all: Vec<_> = thread::scope(|scope| {
                let open = || {
                    start.wait();
                    named.open_or_create(5)
                };
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(all.iter().filter(|semaphore| semaphore.created()).count(), 1, "{backend:?}");
            assert_eq!(units(&named.open()), 5, "{backend:?}");
        }
    }
}

#[test]
fn open_or_create_succeeds_against_any_number_of_unlinks() {
    for backend in backends() {
        let named = Named::new(backend);
        by_three_threads(|| {
            drop(named.open_or_create(1));
            Semaphore::unlink_id(&named.id()).unwrap();
        });
    }
}

#[test]
fn open_or_create_succeeds_while_the_handles_of_others_end() {
    for backend in backends() {
        let named = Named::new(backend);
        by_three_threads(|| drop(named.open_or_create(1)));
    }
}

#[test]
fn post_adds_all_units_or_none() {
    for backend in backends() {
        let named = Named::new(backend);
        let semaphore = named.create(0);
        semaphore.post(32_767).unwrap();
        assert_eq!(semaphore.post(0).unwrap_err().code(), Code::OutOfRange);
        assert_eq!(semaphore.post(backend.value_max() + 1).unwrap_err().code(), Code::OutOfRange);
        if backend == Backend::SystemV {
            assert_eq!(semaphore.post(1).unwrap_err().errno(), Some(OsCode::ERANGE));
            assert!(semaphore.try_wait().unwrap());
            assert_eq!(semaphore.post(2).unwrap_err().errno(), Some(OsCode::ERANGE));
            assert_eq!(semaphore.value().unwrap(), 32_766);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_posix_counter_ends_at_its_own_limit() {
    const MOST: u32 = 0x7fff_ffff;
    assert_eq!(Backend::Posix.value_max(), MOST);
    let named = Named::new(Backend::Posix);
    let semaphore = named.create(MOST - 32_768);
    assert_eq!(semaphore.value().unwrap(), MOST - 32_768);
    semaphore.post(32_768).unwrap();
    assert_eq!(semaphore.value().unwrap(), MOST);
    for count in [1, 2, Backend::Posix.post_max()] {
        let error = semaphore.post(count).unwrap_err();
        assert_eq!(error.errno(), Some(OsCode::EOVERFLOW));
        assert_eq!(error.details().limit, Some(u64::from(MOST)));
    }
    let too_many = semaphore.post(Backend::Posix.post_max() + 1).unwrap_err();
    assert_eq!(too_many.code(), Code::OutOfRange);
    assert_eq!(semaphore.value().unwrap(), MOST);
    semaphore.unlink().unwrap();
    assert_eq!(named.create(MOST).value().unwrap(), MOST);
}

#[test]
#[cfg(target_os = "linux")]
fn many_units_at_once_wake_as_many_waiters() {
    let named = Named::new(Backend::Posix);
    let semaphore = named.create(0);
    thread::scope(|scope| {
        // Each thread blocks in the C library.
        let waits: Vec<_> = (0..4).map(|_| scope.spawn(|| named.open().wait(Some(LIMIT)).unwrap())).collect();
        let all_wait = || semaphore.info().is_ok_and(|info| info.waiters == Some(4));
        let deadline = Instant::now() + LIMIT;
        while !all_wait() && Instant::now() < deadline {
            thread::yield_now();
        }
        semaphore.post(6).unwrap();
        assert!(waits.into_iter().all(|wait| wait.join().unwrap()));
    });
    assert_eq!(semaphore.value().unwrap(), 2);
}

#[test]
fn a_semaphore_is_removed_after_its_handle_is_gone() {
    for backend in backends() {
        let named = Named::new(backend);
        let identity = named.create(1).identity();
        // A semaphore of Windows has ended with its last handle, which an identity is not.
        assert_eq!(Semaphore::open(&named.id(), Owner::Default).is_ok(), backend != Backend::Windows);
        identity.remove().unwrap();
        assert_eq!(Semaphore::open(&named.id(), Owner::Default).err().unwrap().errno(), Some(OsCode::ENOENT));
        // Another semaphore of the same name stays.
        if backend == Backend::SystemV || cfg!(any(target_os = "linux", windows)) {
            let another = named.create(7);
            identity.remove().unwrap();
            assert_eq!(units(&another), 7);
            assert!(Semaphore::open(&named.id(), Owner::Default).is_ok());
        }
    }
}

#[test]
fn a_creation_with_an_impossible_value_or_mode_is_refused() {
    for backend in backends() {
        let named = Named::new(backend);
        let too_much = backend.value_max() + 1;
        for bad in [creation(too_much), creation(u32::MAX), os_ipc::Creation { mode: 0o1000, ..creation(1) }]
        {
            assert_eq!(Semaphore::create(&named.id(), bad).err().unwrap().code(), Code::OutOfRange);
            let error = Semaphore::open_or_create(&named.id(), bad, Owner::Default).err().unwrap();
            assert_eq!(error.code(), Code::OutOfRange);
        }
        assert!(!Semaphore::unlink_id(&named.id()).unwrap());
    }
}

#[test]
fn a_wait_ends_with_a_post_of_another_handle() {
    for backend in backends() {
        let named = Named::new(backend);
        let semaphore = named.create(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| named.open().wait(Some(LIMIT)).unwrap());
            semaphore.post(1).unwrap();
            assert!(waiting.join().unwrap());
        });
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn a_wait_ends_at_its_timeout_and_takes_nothing() {
    for backend in backends() {
        let named = Named::new(backend);
        let semaphore = named.create(0);
        for timeout in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(30)] {
            let start = Instant::now();
            assert!(!semaphore.wait(Some(timeout)).unwrap());
            assert!(start.elapsed() >= timeout);
        }
        semaphore.post(1).unwrap();
        assert_eq!(units(&semaphore), 1);
        assert!(semaphore.wait(Some(Duration::ZERO)).unwrap());
        semaphore.post(1).unwrap();
        assert!(semaphore.wait(Some(Duration::MAX)).unwrap());
    }
}

#[test]
fn waits_that_time_out_during_posts_lose_no_unit() {
    const POSTS: u32 = 2_000;
    for backend in backends() {
        let named = Named::new(backend);
        let semaphore = named.create(0);
        let taken = AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (semaphore, taken) = (&semaphore, &taken);
                scope.spawn(move || {
                    for round in 0..600_u64 {
                        let timeout = Duration::from_micros((round * 7 + thread * 13) % 120);
                        let won = semaphore.wait(Some(timeout)).unwrap();
                        taken.fetch_add(usize::from(won), Ordering::Relaxed);
                    }
                });
            }
            (0..POSTS).for_each(|_| semaphore.post(1).unwrap());
        });
        let left = POSTS - u32::try_from(taken.into_inner()).unwrap();
        assert_eq!(units(&semaphore), left, "{backend:?}");
    }
}

#[test]
fn units_taken_with_wait_stay_taken() {
    for backend in backends() {
        let named = Named::new(backend);
        let watch = named.create(2);
        let handle = named.open();
        assert!(handle.try_wait().unwrap());
        drop(handle);
        assert_eq!(units(&watch), 1);
    }
}

#[test]
fn unlink_is_idempotent() {
    for backend in backends() {
        let named = Named::new(backend);
        let (one, two) = (named.create(1), named.open());
        assert!(Semaphore::unlink_id(&named.id()).unwrap());
        assert!(!Semaphore::unlink_id(&named.id()).unwrap());
        let new = named.create(7);
        one.unlink().unwrap();
        two.unlink().unwrap();
        two.unlink().unwrap();
        assert_eq!(units(&named.open()), 7);
        new.unlink().unwrap();
        assert!(Semaphore::open(&named.id(), Owner::Default).is_err());
    }
}

#[test]
fn unlink_wakes_waiters_where_the_system_does() {
    for backend in backends() {
        let named = Named::new(backend);
        let semaphore = named.create(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| semaphore.wait(Some(LIMIT)));
            common::until("a thread waits", || semaphore.info().unwrap().waiters != Some(0));
            semaphore.unlink().unwrap();
            if backend.unlink_wakes() {
                let error = waiting.join().unwrap().unwrap_err();
                assert_eq!(error.errno(), Some(OsCode::EIDRM));
                let hint = if backend == Backend::SystemV { "RemoveIPC" } else { "removed: open it again" };
                assert!(error.hint().unwrap().contains(hint));
                for error in [
                    semaphore.post(1).unwrap_err(),
                    semaphore.try_wait().unwrap_err(),
                    semaphore.value().unwrap_err(),
                    semaphore.info().unwrap_err(),
                ] {
                    assert_eq!(error.errno(), Some(OsCode::EIDRM));
                }
            } else {
                semaphore.post(1).unwrap();
                assert!(waiting.join().unwrap().unwrap());
            }
        });
    }
}

#[test]
fn a_raw_key_has_no_name() {
    if !Backend::SystemV.is_available() {
        assert_eq!(SemaphoreId::keyed(7).unwrap_err().code(), Code::NotSupported);
        return;
    }
    let named = Named::new(Backend::SystemV);
    let by_name = named.create(2);
    let key = by_name.info().unwrap().key.unwrap();
    let by_key = Semaphore::open(&SemaphoreId::keyed(key).unwrap(), Owner::Default).unwrap();
    assert_eq!((by_key.name(), by_key.value().unwrap()), ("", 2));
    assert_eq!(by_key.info().unwrap().name.as_deref(), Some(named.name.as_str()));
    assert_eq!(SemaphoreId::keyed(0).unwrap_err().code(), Code::ReservedKey);
}

#[test]
fn two_names_with_one_key_are_a_collision() {
    if !Backend::SystemV.is_available() {
        return;
    }
    let (first, second) =
        (Named::called("/app.5rj6", Backend::SystemV), Named::called("/app.mpf8", Backend::SystemV));
    let stranger = first.create(3);
    for refusal in [
        Semaphore::create(&second.id(), creation(1)).map(drop),
        Semaphore::open(&second.id(), Owner::Any).map(drop),
        Semaphore::open_or_create(&second.id(), creation(1), Owner::Any).map(drop),
        Semaphore::unlink_id(&second.id()).map(drop),
    ] {
        let error = refusal.unwrap_err();
        assert_eq!(error.code(), Code::NameCollision);
        assert!(error.to_string().contains("'/app.5rj6'") && error.to_string().contains("'/app.mpf8'"));
    }
    assert_eq!(stranger.value().unwrap(), 3);
}

#[test]
fn the_list_shows_names_and_values() {
    for backend in backends() {
        let named = Named::new(backend);
        let semaphore = named.create(4);
        let all = match list_semaphores() {
            Ok(all) => all,
            Err(error) => {
                assert_eq!(error.code(), Code::NotSupported);
                return;
            }
        };
        let found: Vec<_> =
            all.iter().filter(|info| info.name.as_deref() == Some(named.name.as_str())).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].value, Some(4));
        semaphore.unlink().unwrap();
    }
}
