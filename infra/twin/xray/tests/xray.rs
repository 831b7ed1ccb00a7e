//! The service as its clients see it: through its HTTP seam, OTLP bodies, datagrams and the balancer's seam.

mod xray {
    mod bodies;
    mod client;
    mod faulty;
    mod golden;
    mod reading;
    mod writing;
}
