//! Numbers that stand for native objects in JavaScript: a plain function with a number costs a tenth of a class's method.

const INDEX_BITS: u32 = 20;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

/// Objects by number. A number names its slot and the slot's generation, so that an old one never finds a new object.
pub(crate) struct Handles<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    object: Option<T>,
}

impl<T> Handles<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Keeps `object`; its number is never 0. `None` when a million are open.
    pub(crate) fn insert(&mut self, object: T) -> Option<u32> {
        let index = self.free.pop().or_else(|| self.grow())?;
        let slot = &mut self.slots[index as usize];
        slot.object = Some(object);
        Some(slot.generation << INDEX_BITS | index)
    }

    fn grow(&mut self) -> Option<u32> {
        let index = u32::try_from(self.slots.len()).ok().filter(|index| *index <= INDEX_MASK)?;
        self.slots.push(Slot { generation: 1, object: None });
        Some(index)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let slot = self.slots.get((number & INDEX_MASK) as usize)?;
        if slot.generation == number >> INDEX_BITS { slot.object.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let slot = self.slots.get_mut((number & INDEX_MASK) as usize)?;
        if slot.generation == number >> INDEX_BITS { slot.object.as_mut() } else { None }
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let index = number & INDEX_MASK;
        let slot = self.slots.get_mut(index as usize)?;
        if slot.generation != number >> INDEX_BITS {
            return None;
        }
        let object = slot.object.take()?;
        slot.generation = (slot.generation + 1) % (1 << (u32::BITS - INDEX_BITS));
        slot.generation = slot.generation.max(1);
        self.free.push(index);
        Some(object)
    }

    /// Every object.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.object.as_ref())
    }

    /// Takes every object out.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        self.free.clear();
        self.slots.drain(..).filter_map(|slot| slot.object).collect()
    }
}
