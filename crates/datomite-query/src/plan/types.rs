//! Of which type a number is where a long meets a bigint: of that of the clause written first.
//!
//! The two join, and whichever clause runs first would decide what is returned; the order of
//! running is ours, so the order of writing decides.

use std::sync::Arc;

use datomite_model::{BigInt, Edn, Value, ValueType};

use super::{Op, Plan, Pos};
use crate::ast::{Clause, Var};
use crate::relation::{Col, Relation};

impl Plan {
    /// Gives the numbers of variables that longs and bigints bind the type of the first clause.
    pub(crate) fn settle_types(
        &self,
        clauses: &[Clause],
        given: &[Var],
        mut rows: Relation,
    ) -> Relation {
        let mut first: Vec<(Var, ValueType)> = Vec::new();
        let mut mixed: Vec<(Var, ValueType)> = Vec::new();
        for clause in clauses {
            let mut steps = self.steps.iter();
            let step = steps.find(|step| Arc::ptr_eq(&step.place, clause.place()));
            let Some(Op::Pattern(op)) = step.map(|step| &step.op) else {
                continue;
            };
            let (Pos::Bound(var) | Pos::Free(var)) = &op.terms[2] else {
                continue;
            };
            let value_type = op.attribute.as_ref().map(|attribute| attribute.value_type);
            let Some(found @ (ValueType::Long | ValueType::BigInt)) = value_type else {
                continue;
            };
            match first.iter().find(|(known, _)| known == var) {
                None => first.push((*var, found)),
                Some((_, known)) if *known != found => mixed.push((*var, *known)),
                Some(_) => {}
            }
        }
        mixed.retain(|(var, _)| !given.contains(var));
        for (var, wanted) in mixed {
            if let Some(at) = rows.vars.iter().position(|known| *known == var) {
                let forms = rows.cols[at].forms(rows.len);
                let forms = forms.into_iter().map(|form| as_type(form, wanted));
                rows.cols[at] = Col::of_forms(forms.collect());
            }
        }
        rows
    }
}

fn as_type(form: Edn, wanted: ValueType) -> Edn {
    match (&form, wanted) {
        (Edn::Value(Value::Long(n)), ValueType::BigInt) => {
            Edn::Value(Value::BigInt(Arc::new(BigInt::from(*n))))
        }
        (Edn::Value(Value::BigInt(n)), ValueType::Long) => {
            match i64::try_from(n.as_ref().clone()) {
                Ok(n) => Edn::long(n),
                Err(_) => form,
            }
        }
        _ => form,
    }
}
