//! What operators and other programs are told: events, webhooks, measurements; and a client's move to another machine.

mod events;
mod moving;
mod page;
mod probes;
mod receiver;
mod unit;
mod webhooks;
