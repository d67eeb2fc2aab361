"""What the tests of the dashboards share: the files, the rules that dashboards must follow, and a
resolver that sends a panel's queries and converts the responses as the plugin would. None of this
is Grafana itself: it imitates what is documented or was read in the plugin's source, and only as
far as the dashboards use it."""
