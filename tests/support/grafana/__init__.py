"""What the tests of the dashboards share: the files, the rules they must keep, and a resolver that
asks what a panel asks and makes of the answer what the plugin would. Nothing here is Grafana; what
is imitated is documented or was read in the plugin's source, and no more is imitated than the
dashboards use."""
