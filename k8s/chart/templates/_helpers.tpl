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
