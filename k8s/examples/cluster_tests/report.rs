//! The output: one line for each check, with its duration.

use std::time::Instant;

/// The lines so far.
pub struct Report {
    started: Instant,
    last: Instant,
    passed: usize,
    failed: usize,
}

impl Default for Report {
    fn default() -> Self {
        Self { started: Instant::now(), last: Instant::now(), passed: 0, failed: 0 }
    }
}

impl Report {
    /// Reports a check that passed.
    pub fn passed(&mut self, what: &str) {
        println!("ok   {:6.1} s  {what}", self.lap());
        self.passed += 1;
    }

    /// Reports a check that failed.
    pub fn failed(&mut self, why: &str) {
        println!("FAIL {:6.1} s  {why}", self.lap());
        self.failed += 1;
    }

    /// Reports a check that is not possible here.
    pub fn skipped(&mut self, why: &str) {
        println!("skip ........  {why}");
    }

    /// Whether every check passed.
    pub fn is_good(&self) -> bool {
        self.failed == 0
    }

    /// The last line.
    pub fn close(&self) {
        println!("{} passed, {} failed", self.passed, self.failed);
        println!("in {:.0} s", self.started.elapsed().as_secs_f32());
    }

    fn lap(&mut self) -> f32 {
        let lap = self.last.elapsed().as_secs_f32();
        self.last = Instant::now();
        lap
    }
}
