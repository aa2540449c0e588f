//! Which actions were valid before and after every transition, as bits.

/// All bits, which is what stands for transitions of which nobody said anything.
const ALL: u32 = u32::MAX;

/// The masks of the transitions of a replay. There is nothing in it until an environment says which actions are valid.
#[derive(Debug, Default)]
pub struct Masks {
    /// How many actions there are; 0 until somebody tells.
    actions: usize,
    before: Vec<u32>,
    after: Vec<u32>,
}

/// Which actions are valid before and after a transition; `None` where all are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Valid<'a> {
    /// At the observation before.
    pub before: Option<&'a [bool]>,
    /// At the observation after.
    pub after: Option<&'a [bool]>,
}

impl Masks {
    /// How many actions its masks are for; 0 where it has none.
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// Words that a mask takes.
    fn words(&self) -> usize {
        self.actions.div_ceil(32)
    }

    /// The words of all masks, before and after, in some of the slots.
    pub fn words_of(&self, slots: std::ops::Range<usize>) -> [&[u32]; 2] {
        let words = self.words();
        [&self.before, &self.after].map(|all| &all[slots.start * words..slots.end * words])
    }

    /// Takes the masks of the transition in a slot in, where as many slots as `len` are filled.
    pub fn put(&mut self, slot: usize, len: usize, valid: Valid<'_>) {
        let Valid { before, after } = valid;
        if self.actions == 0 {
            let Some(actions) = before.or(after).map(<[bool]>::len) else { return };
            self.begin(actions, len);
        }
        let words = self.words();
        for (all, mask) in [(&mut self.before, before), (&mut self.after, after)] {
            let end = (slot + 1) * words;
            if all.len() < end {
                all.resize(end, ALL);
            }
            let of_slot = &mut all[slot * words..end];
            of_slot.fill(ALL);
            let invalid = mask.unwrap_or_default().iter().enumerate().filter(|(_, is_valid)| !**is_valid);
            invalid.for_each(|(action, _)| of_slot[action / 32] &= !(1 << (action % 32)));
        }
    }

    fn begin(&mut self, actions: usize, len: usize) {
        self.actions = actions;
        let words = self.words();
        self.before.resize(len * words, ALL);
        self.after.resize(len * words, ALL);
    }

    /// Appends the mask after the transition in a slot: a value an action, or nothing where there are no masks.
    pub fn write_after(&self, slot: usize, into: &mut Vec<bool>) {
        self.write(&self.after, slot, into);
    }

    /// The same before the transition.
    pub fn write_before(&self, slot: usize, into: &mut Vec<bool>) {
        self.write(&self.before, slot, into);
    }

    fn write(&self, all: &[u32], slot: usize, into: &mut Vec<bool>) {
        let of_slot = &all[slot * self.words()..];
        into.extend((0..self.actions).map(|action| of_slot[action / 32] >> (action % 32) & 1 == 1));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Appends the masks of some slots, in words, after those of `len`. `None`, and nothing is done, where they are not as
    /// many as slots of masks for so many actions.
    pub fn append(
        &mut self,
        actions: usize,
        len: usize,
        count: usize,
        [before, after]: [&[u32]; 2],
    ) -> Option<()> {
        let words = actions.div_ceil(32);
        let is_none = before.is_empty() && after.is_empty();
        if !is_none
            && (before.len() != count.checked_mul(words)? || after.len() != before.len() || words == 0)
        {
            return None;
        }
        if is_none && self.actions == 0 {
            return Some(());
        }
        if self.actions == 0 {
            self.begin(actions, len);
        }
        for (all, own) in [(&mut self.before, before), (&mut self.after, after)] {
            all.extend_from_slice(own);
            all.resize((len + count) * words, ALL);
        }
        Some(())
    }
}
