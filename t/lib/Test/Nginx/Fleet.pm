package Test::Nginx::Fleet;

# (C) ngx_http_webhook_module contributors

# What tests of servers with a store share: their configuration, and events.

###############################################################################

=head1 SYNOPSIS

	my $t = Test::Nginx->new()->has(qw/http proxy/);
	my $redis = Test::Nginx::Redis->new(8379);
	$t->plan(1);

	my $store = Test::Nginx::Store->new(8380, 8379);
	my $u = upstream(8081);

	$t->write_file_expand('nginx.conf', fleet_conf())->run();

	is(event($u, 'a'), '200 PASSED MINE 1', 'new');

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/ fleet_conf event event_request told event_key key_of $SECRET /;

###############################################################################

use Digest::SHA qw/ sha256_hex /;
use Test::Nginx::Webhook;

###############################################################################

our $SECRET = 'secret-of-nextpay-0123456789';

=head1 FUNCTIONS

=over

=item fleet_conf(%opts)

A server with a store named fleet behind 127.0.0.1:8380, a zone for it, and an
upstream at 127.0.0.1:8081.

	port       8080
	workers    1
	store      directives of the store, other ones than that server
	zone       added to webhook_dedup_zone zone=events:1m store=fleet
	dedup      added to webhook_dedup zone=events key=events ttl=1h
	main, http, server  added there
	locations  { uri => directives }, besides /hook

The answers tell of the verdict in the header X-Verdict, as does the log
verdict.log, in which each line begins with the header X-Case of the request.

=cut

sub fleet_conf {
	my (%opts) = @_;

	my %o = (
		port => 8080,
		workers => 1,
		store => 'server  127.0.0.1:8380;',
		zone => '',
		dedup => '',
		main => '',
		http => '',
		server => '',
		locations => {},
		%opts,
	);

	my $dedup = "webhook_dedup zone=events key=events ttl=1h $o{dedup};";

	my $locations = join "\n", map { <<"EOF" } sort keys %{$o{locations}};
        location $_ {
            $o{locations}{$_}
            proxy_pass  http://127.0.0.1:8081;
        }
EOF

	return <<"EOF";

%%TEST_GLOBALS%%

worker_processes  $o{workers};
$o{main}

events {
    worker_connections  4096;
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict  '"\$http_x_case" \$status "\$webhook_status" '
                         '"\$webhook_reason" "\$webhook_store" '
                         '\$webhook_store_time \$request_time';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone  zone=events:1m store=fleet $o{zone};

    webhook_store  fleet {
        $o{store}
    }

    $o{http}

    add_header  X-Verdict  "\$webhook_status \$webhook_reason \$webhook_store"
                always;

    server {
        listen       127.0.0.1:$o{port};
        server_name  localhost;

        webhook_verify          nextpay;
        webhook_secret          $SECRET;
        $dedup
        webhook_in_flight_wait  0;

        proxy_read_timeout  5m;

        $o{server}

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /hook {
            proxy_pass  http://127.0.0.1:8081;
        }

$locations
    }
}

EOF
}

=item event(upstream, id, %opts)

Sends an event with that id, and tells what was made of it, as judged() does:
"200 PASSED MINE 1".  The options are those of request() and judged(), and

	note    makes another body
	forged  1: it is not genuine

=item event_request(id, %opts)

The same without an upstream, returns what request() does.

=item told(response)

The status and the verdict of an answer.

=item event_key(id)

The key of an event in the store.

=item key_of(store, upstream, id, %opts)

The key of an event, which is not accepted then.

=back

=cut

sub event {
	my ($u, $id, %opts) = @_;

	return judged($u, _event($id, %opts)) =~ s/ +/ /gr;
}

sub event_request {
	my ($id, %opts) = @_;
	return request(_event($id, %opts));
}

sub _event {
	my ($id, %opts) = @_;

	my $body = "{\"id\":\"$id\"" . (defined $opts{note}
		? ",\"note\":\"$opts{note}\"" : '') . '}';
	my @headers = sign('nextpay', $SECRET, $body);

	$body .= ' ' if $opts{forged};

	return (uri => '/hook', %opts, body => $body,
		headers => [ @headers, @{$opts{headers} || []} ]);
}

sub told {
	my ($r) = @_;

	return join ' ', $r->{status}, grep { defined && $_ ne '' }
		split / +/, $r->header('X-Verdict') || '';
}

sub event_key {
	my ($id) = @_;

	return 'webhook:fleet:' . substr sha256_hex(join '',
		map { pack('Q<', length $_) . $_ }
		'nextpay', 'key', 'events', '', $id), 0, 32;
}

sub key_of {
	my ($store, $u, $id, %opts) = @_;

	my $n = $store->count(qr/^EVAL/);

	event($u, $id, %opts, answer => 500);
	$store->wait_for(qr/^EVAL/, $n + 1) or die "not freed\n";

	return ($store->commands(qr/^SET \S+ p:/))[-1]->{args}[1];
}

###############################################################################

1;

###############################################################################
