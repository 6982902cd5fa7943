//! Shows how a boot spent its time.
//!
//! The input is the lines of the console and their times. The output is a report in JSON, a chart in SVG and a summary.
//!
//! | module | subject |
//! | --- | --- |
//! | [`timeline`] | the record: the lines of the console, with their times |
//! | [`phases`], [`initcalls`] | the parts of a boot |
//! | [`symbols`] | the names of a kernel's functions |
//! | [`analysis`] | the model: the record, its phases and its longest delays |
//! | [`report`], [`chart`], [`summary`] | its views: as JSON, as a picture and as text |
//! | [`results`] | the options that ask for these, and their files |

pub mod analysis;
pub mod chart;
pub mod initcalls;
pub mod phases;
pub mod report;
pub mod results;
pub mod summary;
pub mod symbols;
pub mod timeline;
