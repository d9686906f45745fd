{{- define "toygres.labels" -}}
app.kubernetes.io/name: toygres
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "toygres.selector" -}}
app.kubernetes.io/name: toygres
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: control-plane
{{- end }}

{{- define "toygres.metadataSelector" -}}
app.kubernetes.io/name: toygres
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: metadata
{{- end }}

{{- define "toygres.instancesNamespace" -}}
{{ default (printf "%s-instances" .Release.Namespace) .Values.instances.namespace }}
{{- end }}

{{- define "toygres.image" -}}
{{- with .Values.image.digest -}}
{{ $.Values.image.repository }}@{{ . }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- /* Whether tokens may arrive from other pods: encrypted, or from a proxy that ends TLS. */}}
{{- define "toygres.behindProxy" -}}
{{- if and (not .Values.tls.secret) (or .Values.ingress.enabled .Values.proxy.enabled .Values.proxy.addresses) }}true{{ end -}}
{{- end }}

{{- define "toygres.listen" -}}
{{- if or .Values.tls.secret (include "toygres.behindProxy" .) }}0.0.0.0:8080{{ else }}127.0.0.1:8080{{ end -}}
{{- end }}

{{- define "toygres.servicePort" -}}
{{- .Values.service.port | default (ternary 443 80 (not (empty .Values.tls.secret))) | int -}}
{{- end }}
