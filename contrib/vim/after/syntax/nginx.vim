" Vim syntax file, for the directives of ngx_http_webhook_module
" Language: nginx.conf
"
" Read after the nginx.vim that comes with Vim or with nginx: copy after/ into
" ~/.vim.

syn keyword ngxDirectiveBlock webhook_scheme contained
syn keyword ngxDirectiveBlock webhook_store  contained

syn keyword ngxDirectiveThirdParty webhook_dedup
syn keyword ngxDirectiveThirdParty webhook_dedup_zone
syn keyword ngxDirectiveThirdParty webhook_diagnose
syn keyword ngxDirectiveThirdParty webhook_dry_run
syn keyword ngxDirectiveThirdParty webhook_duplicate_status
syn keyword ngxDirectiveThirdParty webhook_events
syn keyword ngxDirectiveThirdParty webhook_handshake
syn keyword ngxDirectiveThirdParty webhook_handshake_token
syn keyword ngxDirectiveThirdParty webhook_ignore
syn keyword ngxDirectiveThirdParty webhook_ignored_status
syn keyword ngxDirectiveThirdParty webhook_in_flight_status
syn keyword ngxDirectiveThirdParty webhook_in_flight_wait
syn keyword ngxDirectiveThirdParty webhook_json
syn keyword ngxDirectiveThirdParty webhook_json_max_size
syn keyword ngxDirectiveThirdParty webhook_log_level
syn keyword ngxDirectiveThirdParty webhook_monitor
syn keyword ngxDirectiveThirdParty webhook_place
syn keyword ngxDirectiveThirdParty webhook_reject_status
syn keyword ngxDirectiveThirdParty webhook_secret
syn keyword ngxDirectiveThirdParty webhook_tolerance
syn keyword ngxDirectiveThirdParty webhook_verify

" the lines of a scheme: words that are arguments elsewhere

syn match ngxDirectiveThirdParty '^\s*\zsalgorithm\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsbody_hash\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsdedup_key\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsevent_id\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsevent_type\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsfield\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zshandshake\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zskey_id\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsretries\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zssecret\ze[ \t;]'
syn match ngxDirectiveThirdParty '^\s*\zssignature\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zssigned\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zstimestamp\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zstolerance\ze\s'

" and those of a store

syn match ngxDirectiveThirdParty '^\s*\zsconnect_timeout\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsdatabase\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zspassword\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsprefix\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zsssl_name\ze\s'
syn match ngxDirectiveThirdParty '^\s*\zstimeout\ze\s'
