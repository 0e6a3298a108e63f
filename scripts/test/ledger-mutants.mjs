// The ways in which `npm run test:mutants` breaks the ledger.

/** Each replaces one text, which is there once, and fails one test. */
export const MUTANTS = [
  {
    name: 'the slot of a dead process is free before its permits are back',
    file: 'ledger/changes.rs',
    from: `            words.change_held(|_| Some(0));
            words.set_ticket(0);
            words.set_id(0);`,
    to: `            words.set_id(0);
            words.change_held(|_| Some(0));
            words.set_ticket(0);`,
    fails: 'try_that_finds_a_dead_process',
  },
  {
    name: 'no death is watched',
    file: 'waiting/hub/turns.rs',
    from: 'self.watches.add(peer, watch);',
    to: 'drop(watch);',
    fails: 'release_to_a_waiter',
  },
  {
    name: 'a newcomer acts before it announces itself',
    file: 'limit/ledger/counter/slots.rs',
    from: `                self.slot.store(slot.number(), Ordering::Relaxed);
                self.wake_others();`,
    to: '                self.slot.store(slot.number(), Ordering::Relaxed);',
    fails: 'grow',
  },
  {
    name: 'a known process changes the number before it announces itself',
    file: 'limit/ledger/counter.rs',
    from: `            if self.name.kind == Kind::Limit {
                self.wake_others();
            }`,
    to: '',
    fails: 'grow_while_the_line_watches_another',
  },
  {
    name: 'a process that leaves the line does not tell the one behind it',
    file: 'limit/ledger/counter.rs',
    from: 'if let Some(behind) = behind {',
    to: 'if let Some(behind) = behind.filter(|_| false) {',
    fails: 'wait_before_one_that_gives_up_its_wait',
  },
]
