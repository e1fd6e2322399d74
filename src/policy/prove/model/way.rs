//! A way through the diagram, read back.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Domain, Free, Model};
use crate::policy::expr::formula::{Input, Other};
use crate::policy::prove::domain::Region;

impl Model {
    /// What is chosen for each input on the way `way`: its region and, of a list, which elements it has.
    pub(in crate::policy::prove) fn chosen(
        &self,
        way: &[(u32, bool)],
    ) -> Vec<(&Input, &Domain, &Region, Vec<bool>)> {
        let is: HashMap<u32, bool> = way.iter().copied().collect();
        let get = |variable: u32| is.get(&variable).copied().unwrap_or(false);
        self.domains
            .iter()
            .filter_map(|(input, domain)| {
                let code = (0..domain.bits)
                    .fold(0, |code, bit| code << 1 | usize::from(get(domain.first + bit)));
                let all = &domain.regions.all;
                let region = all.get(code).or(all.last())?;
                let present = domain.present.iter().map(|variable| get(*variable)).collect();
                Some((input, domain, region, present))
            })
            .collect()
    }

    /// Comparisons of inputs with each other that the way `way` decides.
    pub(in crate::policy::prove) fn decided(
        &self,
        way: &[(u32, bool)],
    ) -> Vec<(&Arc<Other>, bool)> {
        let is: HashMap<u32, bool> = way.iter().copied().collect();
        self.free
            .iter()
            .filter_map(|(what, variable)| match what {
                Free::Other(other, false) => Some((other, *is.get(variable)?)),
                _ => None,
            })
            .collect()
    }

    /// What the way `way` rests on and is not cut into regions.
    pub(in crate::policy::prove) fn blame(&self, way: &[(u32, bool)]) -> Vec<Box<str>> {
        let free = way.iter().filter_map(|(variable, _)| self.blamed.get(variable).cloned());
        let open = self.chosen(way).into_iter().filter(|(_, _, region, _)| !region.is_concrete());
        let mut all: BTreeSet<Box<str>> = free.collect();
        all.extend(open.map(|(input, ..)| Box::from(input.text())));
        all.into_iter().collect()
    }
}
