//! All site tables that a model may name: the shipped one, the published protocol's, the litmus one.
//!
//! A site is a number below [`datahub::sites::COUNT`] or in one of two ranges above it.

use core::sync::atomic::Ordering;

use datahub::sites::{COUNT, Kind, Site, TABLE};

/// Where the published protocol's sites begin.
pub(crate) const PUBLISHED: u16 = 1000;
/// Where the litmus sites begin.
pub(crate) const LITMUS: u16 = 2000;

const _: () = assert!(COUNT < PUBLISHED as usize);

macro_rules! private_sites {
    ($base:ident $table:ident { $( #[doc = $why:literal] $site:ident : $name:literal
        $kind:ident = $ordering:ident ; )* }) => {
        private_sites!(@number $base; $( #[doc = $why] $site )*);
        /// The rows, in the order of their numbers.
        pub(crate) static $table: &[Site] = &[$( Site {
            name: $name,
            kind: Kind::$kind,
            ordering: Ordering::$ordering,
            partners: &[],
            carries: $why.trim_ascii(),
        } ),*];
    };
    (@number $next:expr; #[doc = $why:literal] $site:ident $($rest:tt)*) => {
        #[doc = $why]
        pub(crate) const $site: u16 = $next;
        private_sites!(@number $site + 1; $($rest)*);
    };
    (@number $next:expr;) => {};
}
pub(crate) use private_sites;

/// Every table.
pub(crate) fn tables() -> [&'static [Site]; 3] {
    [&TABLE, crate::published::sites::TABLE, crate::litmus::sites::TABLE]
}

/// The row of `site` in its table.
///
/// # Panics
///
/// For a number outside every table: a broken invariant of ours.
#[must_use]
pub fn row(site: u16) -> &'static Site {
    let (table, base): (&[Site], u16) = match site {
        0..PUBLISHED => (&TABLE, 0),
        PUBLISHED..LITMUS => (crate::published::sites::TABLE, PUBLISHED),
        LITMUS.. => (crate::litmus::sites::TABLE, LITMUS),
    };
    &table[usize::from(site - base)]
}

/// The site called `name`; `published:R_COUNT` is one of the published protocol.
#[must_use]
pub fn by_name(name: &str) -> Option<u16> {
    let Some(name) = name.strip_prefix("published:") else {
        return datahub::sites::by_name(name);
    };
    let rows = crate::published::sites::TABLE;
    let index = rows.iter().position(|site| site.name == name)?;
    u16::try_from(index).ok().map(|index| PUBLISHED + index)
}

/// The ordering called `name`; `none` removes a fence.
#[must_use]
pub fn ordering_by_name(name: &str) -> Option<Option<Ordering>> {
    Some(Some(match name {
        "Relaxed" => Ordering::Relaxed,
        "Acquire" => Ordering::Acquire,
        "Release" => Ordering::Release,
        "AcqRel" => Ordering::AcqRel,
        "SeqCst" => Ordering::SeqCst,
        "none" => return Some(None),
        _ => return None,
    }))
}

/// The name of an ordering, as [`ordering_by_name`] reads it.
#[must_use]
pub const fn ordering_name(ordering: Option<Ordering>) -> &'static str {
    match ordering {
        Some(Ordering::Relaxed) => "Relaxed",
        Some(Ordering::Acquire) => "Acquire",
        Some(Ordering::Release) => "Release",
        Some(Ordering::AcqRel) => "AcqRel",
        Some(_) => "SeqCst",
        None => "none",
    }
}

/// Every ordering that is weaker than `ordering` at an operation of `kind`, strongest first; `None`:
/// no fence at all.
#[must_use]
pub fn weaker(kind: Kind, ordering: Ordering) -> Vec<Option<Ordering>> {
    use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    let all: &[Option<Ordering>] = match kind {
        Kind::Load => &[Some(Acquire), Some(Relaxed)],
        Kind::Store => &[Some(Release), Some(Relaxed)],
        Kind::Rmw => &[Some(AcqRel), Some(Acquire), Some(Release), Some(Relaxed)],
        Kind::Fence => &[Some(AcqRel), Some(Acquire), Some(Release), None],
    };
    let below = |other: &Option<Ordering>| match (ordering, other) {
        (Relaxed, _) => false,
        (SeqCst, _) | (_, None | Some(Relaxed)) => true,
        (AcqRel, Some(weaker)) => *weaker != AcqRel,
        _ => false,
    };
    all.iter().copied().filter(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_row() {
        for name in ["W_COMMIT", "published:R_COUNT", "published:W_DRAINING"] {
            let site = by_name(name).unwrap();
            assert_eq!(row(site).name, name.trim_start_matches("published:"));
        }
        assert_eq!(by_name("published:W_TAKE"), None);
    }

    #[test]
    fn orderings_are_written_as_they_are_read() {
        for name in ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst", "none"] {
            assert_eq!(ordering_name(ordering_by_name(name).unwrap()), name);
        }
        assert_eq!(ordering_by_name("acquire"), None);
    }

    #[test]
    fn a_relaxed_site_cannot_be_weakened_and_a_fence_can_go() {
        assert!(weaker(Kind::Store, Ordering::Relaxed).is_empty());
        assert_eq!(weaker(Kind::Load, Ordering::Acquire), [Some(Ordering::Relaxed)]);
        assert!(weaker(Kind::Fence, Ordering::SeqCst).contains(&None));
        assert_eq!(weaker(Kind::Fence, Ordering::SeqCst).len(), 4);
        assert_eq!(weaker(Kind::Fence, Ordering::Release), [None]);
        assert_eq!(weaker(Kind::Rmw, Ordering::AcqRel).len(), 3);
    }
}
