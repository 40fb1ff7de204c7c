//! Pure statistics: numbers in, numbers out. Nothing here depends on sessions, tensors or screens.

pub mod agreement;
pub mod anomaly;
pub mod audit;
pub mod backdoor;
pub mod classification;
pub mod cluster;
pub mod comparison;
pub mod correlation;
pub mod covariance;
pub mod grain;
pub mod interval;
pub mod null;
pub mod numbers;
pub mod regression;
pub mod roc;
pub mod share;
pub mod spike_triggered;
pub mod sums;
pub mod templates;
