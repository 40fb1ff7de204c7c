//! The data of an audit's figure: the highlighted class, and the score beyond which a class stands out.

use super::super::{FigureError, audit};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::{self, Analysis};
use crate::session::record::Audit;
use crate::stats::audit::AuditVerdict;

/// The data of an audit's figure.
pub struct AuditData<'a> {
    pub audit: &'a Audit,
    pub plan: &'a config::Audit,
    pub verdict: AuditVerdict,
    pub summary: audit::AuditSummary,
}

impl AuditData<'_> {
    /// The class that was found.
    pub fn found(&self) -> Option<ClassId> {
        match self.verdict.has_window() {
            true => Some(self.verdict.class),
            false => self.verdict.energy_class(),
        }
    }

    /// The class to highlight: the one that was found, or the one with the highest score.
    pub fn class(&self) -> ClassId {
        self.found().unwrap_or(self.verdict.class)
    }
}

/// Whether all networks of the session's audit with this index have been shown noise, so that they can be compared.
pub fn is_available(session: &Session, nth: usize) -> bool {
    audit_data(session, nth).is_ok()
}

pub fn audit_data(session: &Session, nth: usize) -> Result<AuditData<'_>, FigureError> {
    let found = || {
        let (index, audit) = super::super::nth::<Audit>(session, nth)?;
        let Analysis::Audit(plan) = session.config.analyses.get(index)? else {
            return None;
        };
        let kind = session.config.network.kind;
        Some(AuditData {
            audit,
            plan,
            verdict: audit.verdict(plan, kind)?,
            summary: audit::summary(&session.record, audit, plan, kind)?,
        })
    };
    found().ok_or_else(|| {
        let audit = super::super::nth::<Audit>(session, nth).map(|(_, audit)| audit);
        let suspect = audit.and_then(Audit::suspect);
        match suspect.is_some_and(|suspect| suspect.examined.is_some()) {
            true => FigureError::Uncompared,
            false => FigureError::Missing("audit"),
        }
    })
}
