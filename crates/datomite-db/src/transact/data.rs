//! Transaction data: EDN text, forms, or a builder.

use datomite_model::Edn;

use super::error::TxError;

/// Transaction data: a list of operations.
#[derive(Clone, PartialEq, Debug)]
pub struct TxData(pub Edn);

/// What can be transacted.
pub trait IntoTxData {
    /// The transaction data, or why a text is none.
    fn into_tx_data(self) -> Result<TxData, TxError>;
}

impl IntoTxData for TxData {
    fn into_tx_data(self) -> Result<TxData, TxError> {
        Ok(self)
    }
}

impl IntoTxData for Edn {
    fn into_tx_data(self) -> Result<TxData, TxError> {
        Ok(TxData(self))
    }
}

impl IntoTxData for Vec<Edn> {
    fn into_tx_data(self) -> Result<TxData, TxError> {
        Ok(TxData(Edn::Vector(self)))
    }
}

impl IntoTxData for &str {
    fn into_tx_data(self) -> Result<TxData, TxError> {
        Ok(TxData(datomite_model::read(self)?))
    }
}

impl IntoTxData for &String {
    fn into_tx_data(self) -> Result<TxData, TxError> {
        self.as_str().into_tx_data()
    }
}

/// An empty transaction to build on: `tx().entity("ann").set(":users/email", mail)`.
pub fn tx() -> TxBuilder {
    TxBuilder::default()
}

/// Builds transaction data without text: values never pass through EDN.
#[derive(Clone, Debug, Default)]
pub struct TxBuilder {
    done: Vec<Edn>,
    open: Vec<(Edn, Edn)>,
}

impl TxBuilder {
    /// Begins a map about an entity: a tempid, an id, an ident or a lookup ref.
    #[must_use]
    pub fn entity(mut self, id: impl Into<Edn>) -> TxBuilder {
        self.close();
        self.open.push((Edn::keyword("db/id"), id.into()));
        self
    }

    /// Says an attribute of the entity that was begun last.
    #[must_use]
    pub fn set(mut self, attribute: &str, value: impl Into<Edn>) -> TxBuilder {
        self.open.push((Edn::keyword(attribute), value.into()));
        self
    }

    /// `[:db/add entity attribute value]`.
    #[must_use]
    pub fn add(self, e: impl Into<Edn>, attribute: &str, value: impl Into<Edn>) -> TxBuilder {
        self.form("db/add", e.into(), attribute, Some(value.into()))
    }

    /// `[:db/retract entity attribute value]`.
    #[must_use]
    pub fn retract(self, e: impl Into<Edn>, attribute: &str, value: impl Into<Edn>) -> TxBuilder {
        self.form("db/retract", e.into(), attribute, Some(value.into()))
    }

    /// `[:db/retractEntity entity]`.
    #[must_use]
    pub fn retract_entity(mut self, e: impl Into<Edn>) -> TxBuilder {
        self.close();
        self.done.push(Edn::Vector(vec![
            Edn::keyword("db/retractEntity"),
            e.into(),
        ]));
        self
    }

    fn form(mut self, op: &str, e: Edn, attribute: &str, value: Option<Edn>) -> TxBuilder {
        self.close();
        let mut parts = vec![Edn::keyword(op), e, Edn::keyword(attribute)];
        parts.extend(value);
        self.done.push(Edn::Vector(parts));
        self
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(Edn::Map(std::mem::take(&mut self.open)));
        }
    }
}

impl IntoTxData for TxBuilder {
    fn into_tx_data(mut self) -> Result<TxData, TxError> {
        self.close();
        Ok(TxData(Edn::Vector(self.done)))
    }
}

impl From<TxBuilder> for Edn {
    fn from(mut builder: TxBuilder) -> Edn {
        builder.close();
        Edn::Vector(builder.done)
    }
}
