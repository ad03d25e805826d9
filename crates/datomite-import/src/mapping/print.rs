//! `--plan`: the derived plan as a mapping file that would derive it again.

use std::fmt::Write;

use super::plan::{Becomes, ColumnPlan, Identity, Plan};
use crate::catalog::Catalog;

/// The plan as EDN, with what a reader wants to know in comments.
pub fn mapping_text(catalog: &Catalog, plan: &Plan) -> String {
    let mut out = String::from("{:datomite/mapping 1\n :tables\n {");
    let mut indent = "";
    for table in &catalog.tables {
        if catalog.root(&table.name) != table.name {
            continue;
        }
        let name = quoted(&table.name.to_string());
        // Writing to a String cannot fail.
        let _ = match plan.tables.get(&table.name) {
            Some(Becomes::Nothing) | None => writeln!(out, "{indent}{name} :drop"),
            Some(Becomes::Bridge(n)) => {
                writeln!(
                    out,
                    "{indent}{name} {{:bridge {}}}",
                    plan.bridges[*n].attribute
                )
            }
            Some(Becomes::Relation(n)) => {
                let relation = &plan.relations[*n];
                let _ = writeln!(
                    out,
                    "{indent}{name}\n  {{:ns :{}\n   :columns",
                    relation.namespace
                );
                columns(&relation.columns, &mut out);
                let _ = match &relation.identity {
                    Identity::Tuple { attribute, .. } => {
                        writeln!(out, "   ;; identity: {attribute}, a tuple")
                    }
                    Identity::Digest { attribute, .. } => {
                        writeln!(out, "   ;; identity: {attribute}, a hash of the key")
                    }
                    Identity::Row { attribute } => {
                        writeln!(out, "   ;; no key: {attribute}, a hash of the row")
                    }
                    Identity::Column(_) => Ok(()),
                };
                for reference in &relation.references {
                    let target = &reference.reference.target;
                    let _ = writeln!(out, "   ;; {} → {target}", reference.attribute);
                }
                writeln!(out, "   }}")
            }
        };
        indent = "  ";
    }
    out.push_str(" }\n :enums\n {");
    for (n, plan) in plan.enums.iter().enumerate() {
        let namespace = plan.labels.first().and_then(|(_, ident)| ident.namespace());
        let indent = if n == 0 { "" } else { "  " };
        let name = quoted(&plan.name.to_string());
        let _ = writeln!(out, "{indent}{name} {{:ns :{}}}", namespace.unwrap_or("%"));
    }
    out.push_str(" }}\n");
    for note in &plan.notes {
        let _ = writeln!(out, ";; {note}");
    }
    out
}

fn columns(columns: &[ColumnPlan], out: &mut String) {
    let mut open = "   {";
    for column in columns {
        let name = quoted(&column.column);
        let wish = column
            .attribute
            .as_ref()
            .map_or(":drop".to_owned(), |a| format!("{{:as {a}}}"));
        let _ = write!(out, "{open}{name} {wish} ; {}", column.type_text);
        if column.identity {
            out.push_str(", identity");
        }
        if let Some(reference) = &column.reference {
            let _ = write!(out, " → {}", reference.target);
        }
        out.push('\n');
        open = "    ";
    }
    if columns.is_empty() {
        out.push_str("   {\n");
    }
    out.push_str("    }\n");
}

fn quoted(text: &str) -> String {
    datomite::Edn::string(text).to_string()
}
