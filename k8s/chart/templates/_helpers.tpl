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
{{ default .Release.Namespace .Values.instances.namespace }}
{{- end }}
