//! Where the time of a boot went: the record of it, and its views.
//!
//! In: what the console said and when. Out: a report in JSON, a chart in SVG, a summary in words.
//!
//! | module | subject |
//! | --- | --- |
//! | [`timeline`] | what the console said, and when |
//! | [`phases`], [`initcalls`] | the parts of a boot, told from that |
//! | [`symbols`] | the names of a kernel's functions |
//! | [`analysis`] | what took how long |
//! | [`report`], [`chart`], [`summary`] | the same as JSON, as a picture and as text |
//! | [`results`] | which of these are wanted, and where |

pub mod analysis;
pub mod chart;
pub mod initcalls;
pub mod phases;
pub mod report;
pub mod results;
pub mod summary;
pub mod symbols;
pub mod timeline;
