//! What was found in an archive, and whether it still counts.

use super::maintenance::Found;

/// What was found when an archive was looked at last. It counts until its follower begins again, and until a base backup is complete: a
/// listing from before that would ask for another one.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Which beginning of the follower it is being looked at after.
    looking: Option<u64>,
    /// Whether what will be found is from before the latest base backup.
    is_outdated: bool,
    /// Which beginning of the follower it was looked at after, and what was found.
    found: Option<(u64, Found)>,
}

impl Findings {
    /// It is being looked at, after this beginning of its follower.
    pub(super) fn begin(&mut self, began: u64) {
        self.looking = Some(began);
    }

    /// It was looked at; `None` if that has failed.
    pub(super) fn end(&mut self, found: Option<Found>) {
        let (began, is_outdated) = (self.looking.take(), std::mem::take(&mut self.is_outdated));
        if !is_outdated && let Some(found) = began.zip(found) {
            self.found = Some(found);
        }
    }

    /// A base backup is complete.
    pub(super) fn outdate(&mut self) {
        (self.is_outdated, self.found) = (self.looking.is_some(), None);
    }

    /// What was found after this beginning of its follower.
    pub(super) fn since(&self, began: u64) -> Option<Found> {
        self.found.filter(|(after, _)| *after == began).map(|(_, found)| found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Found = Found { continues: false, keeps: false, base: None };
    const NO_GAP: Found = Found { continues: true, keeps: false, base: None };

    #[test]
    fn a_listing_from_before_a_base_backup_does_not_count() {
        let mut findings = Findings::default();
        findings.begin(1);
        findings.outdate();
        findings.end(Some(GAP));
        assert_eq!(findings.since(1), None, "it would ask for the backup that is complete");
        findings.begin(1);
        findings.end(Some(NO_GAP));
        assert_eq!(findings.since(1), Some(NO_GAP));
        findings.outdate();
        assert_eq!(findings.since(1), None);
    }

    #[test]
    fn what_was_found_counts_for_one_beginning_of_the_follower() {
        let mut findings = Findings::default();
        findings.begin(1);
        findings.end(Some(NO_GAP));
        findings.begin(2);
        findings.end(None);
        assert_eq!((findings.since(1), findings.since(2)), (Some(NO_GAP), None), "a failure tells nothing");
    }
}
